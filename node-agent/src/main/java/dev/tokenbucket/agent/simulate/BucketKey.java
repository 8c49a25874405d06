// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.simulate;

import dev.tokenbucket.agent.layout.BucketKeyLayout;
import dev.tokenbucket.agent.layout.FlowKeyLayout;
import dev.tokenbucket.agent.layout.PacketReportLayout;
import dev.tokenbucket.agent.layout.Struct;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.IpProtocol;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The key of a bucket under a policy: an address masked to the prefix length, a pair of such
 * addresses, a flow, or nothing if all packets share one bucket. The bytes are those of the packet,
 * in network order: 16 per address, two per port, protocol and version.
 */
public final class BucketKey {
  /** The text of a bucket that all packets share. */
  public static final String ALL = "all";

  private static final int ADDRESS = 16;
  private static final int DESTINATION = ADDRESS;
  private static final int PORTS = 2 * ADDRESS;
  private static final int PROTOCOL = PORTS + 4;
  private static final int VERSION = PROTOCOL + 1;
  private static final int SIZE = VERSION + 1;
  private static final int IPV4 = 4;

  /** PACKET_UNREADABLE of packet.h: a frame that may be IP. */
  private static final int UNREADABLE = 1;

  private static final Fields OF_REPORT = Fields.of(PacketReportLayout.STRUCT);

  private final byte[] bytes = new byte[SIZE];

  /** How a policy makes keys. Prefix lengths matter to keys of addresses only. */
  public record Making(BucketPer per, int ipv4PrefixLength, int ipv6PrefixLength) {
    public static Making of(NodePolicy policy) {
      return new Making(policy.per(), policy.ipv4PrefixLength(), policy.ipv6PrefixLength());
    }

    public static Making of(SlotIdentity identity) {
      return new Making(identity.per(), identity.ipv4PrefixLength(), identity.ipv6PrefixLength());
    }

    private int prefixLength(boolean ipv4) {
      return ipv4 ? ipv4PrefixLength : ipv6PrefixLength;
    }
  }

  /**
   * Where a struct of the classifier holds a packet's fields. The ports are consecutive.
   *
   * @param source the field's offset, like the others
   */
  private record Fields(int source, int destination, int ports, int protocol, int version) {
    static Fields of(Struct struct) {
      return new Fields(
          struct.field("source").offset(),
          struct.field("destination").offset(),
          struct.field("source_port").offset(),
          struct.field("protocol").offset(),
          struct.field("version").offset());
    }
  }

  /** Makes this the key of a packet under a policy. */
  public void set(NodePolicy policy, PacketReport packet) {
    set(Making.of(policy), packet.struct(), OF_REPORT);
  }

  /**
   * The key of a packet that a struct of the classifier describes.
   *
   * @param struct has the fields that {@code struct packet} has for addresses, ports, protocol and
   *     version
   */
  public static BucketKey of(Making making, Struct struct, ByteBuffer packet) {
    BucketKey key = new BucketKey();
    key.set(making, packet, Fields.of(struct));
    return key;
  }

  private void set(Making making, ByteBuffer of, Fields at) {
    Arrays.fill(bytes, (byte) 0);
    bytes[VERSION] = of.get(at.version());
    switch (making.per()) {
      case Node, Interface -> bytes[VERSION] = 0;
      case SourceIP -> setAddress(making, of, at.source(), 0);
      case DestinationIP -> setAddress(making, of, at.destination(), 0);
      case SourceAndDestinationIP -> {
        setAddress(making, of, at.source(), 0);
        setAddress(making, of, at.destination(), DESTINATION);
      }
      case Flow -> {
        of.get(at.source(), bytes, 0, ADDRESS);
        of.get(at.destination(), bytes, DESTINATION, ADDRESS);
        of.get(at.ports(), bytes, PORTS, 4);
        bytes[PROTOCOL] = of.get(at.protocol());
      }
    }
  }

  private void setAddress(Making making, ByteBuffer from, int offset, int at) {
    boolean ipv4 = bytes[VERSION] == IPV4;
    from.get(offset, bytes, at, ipv4 ? Integer.BYTES : ADDRESS);
    int prefix = making.prefixLength(ipv4);
    int whole = prefix / Byte.SIZE;
    if (whole < ADDRESS) {
      bytes[at + whole] &= (byte) (0xff00 >> prefix % Byte.SIZE);
      Arrays.fill(bytes, at + whole + 1, at + ADDRESS, (byte) 0);
    }
  }

  /**
   * The key in the form of the policy's table: {@code struct bucket_key} or {@code struct flow_key}
   * of maps.h.
   */
  public byte[] encode(NodePolicy policy) {
    if (policy.per().hasBothAddresses()) {
      return Arrays.copyOf(bytes, FlowKeyLayout.STRUCT.size());
    }
    return BucketKeyLayout.STRUCT.encode(
        to -> {
          to.put(0, bytes, 0, ADDRESS);
          BucketKeyLayout.STRUCT.field("version").putInt(to, bytes[VERSION]);
        });
  }

  /** A copy that stays unchanged. */
  public BucketKey copy() {
    BucketKey copy = new BucketKey();
    System.arraycopy(bytes, 0, copy.bytes, 0, SIZE);
    return copy;
  }

  /** The key of an entry of a policy's table. */
  public static BucketKey ofMap(BucketPer per, ByteBuffer key) {
    BucketKey read = new BucketKey();
    if (per.hasBothAddresses()) {
      key.get(0, read.bytes);
    } else {
      key.get(0, read.bytes, 0, ADDRESS);
      int at = BucketKeyLayout.STRUCT.field("version").offset();
      read.bytes[VERSION] = (byte) key.duplicate().order(ByteOrder.nativeOrder()).getInt(at);
    }
    return read;
  }

  /** The key for people: an address, a network, a flow, or "all". */
  public String text(Making making) {
    if (bytes[VERSION] == 0) {
      return ALL;
    }
    if (bytes[VERSION] == UNREADABLE) {
      return "unreadable";
    }
    if (making.per() == BucketPer.Flow) {
      return "%s %s > %s".formatted(protocolName(), end(0, PORTS), end(DESTINATION, PORTS + 2));
    }
    int prefix = making.prefixLength(bytes[VERSION] == IPV4);
    return making.per() == BucketPer.SourceAndDestinationIP
        ? network(0, prefix) + " > " + network(DESTINATION, prefix)
        : network(0, prefix);
  }

  private String network(int at, int prefix) {
    int whole = bytes[VERSION] == IPV4 ? Integer.SIZE : ADDRESS * Byte.SIZE;
    return prefix == whole ? address(at) : address(at) + "/" + prefix;
  }

  private String protocolName() {
    return IpProtocol.name(Byte.toUnsignedInt(bytes[PROTOCOL]));
  }

  private String end(int address, int port) {
    return Addresses.end(
        address(address), Short.toUnsignedInt(ByteBuffer.wrap(bytes).getShort(port)));
  }

  private String address(int at) {
    return Addresses.text(
        Arrays.copyOfRange(bytes, at, at + (bytes[VERSION] == IPV4 ? Integer.BYTES : ADDRESS)));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof BucketKey key && Arrays.equals(bytes, key.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The headers of an IP packet as the standards define them. This reader of the oracle shares no
 * code with the classifier's.
 */
final class SeenPacket {
  private static final int TCP = 6;
  private static final Set<Integer> ICMP = Set.of(1, 58);
  private static final Set<Integer> WITH_PORTS = Set.of(6, 17, 132);
  private static final Set<Integer> EXTENSIONS = Set.of(0, 43, 44, 51, 60, 135, 139, 140);
  private static final int FRAGMENT = 44;
  private static final int AUTHENTICATION = 51;
  private static final int MOST_EXTENSIONS = 8;
  private static final int LONGEST = 65_535;

  /** A field that may be read, be known not to be there, or be unknown. */
  record Seen(OptionalInt value, boolean known) {
    static final Seen UNKNOWN = new Seen(OptionalInt.empty(), false);
    static final Seen NONE = new Seen(OptionalInt.empty(), true);

    static Seen of(int value) {
      return new Seen(OptionalInt.of(value), true);
    }
  }

  private final ByteBuffer frame;
  private final int network;
  private final int version;
  private int transport;
  private Seen protocol = Seen.UNKNOWN;

  /** In 8 bytes; empty where it is not known whether it is one. */
  private Optional<Integer> fragmentOffset = Optional.empty();

  private boolean isFragment;

  /**
   * Reads a packet.
   *
   * @param network where its IP header begins, which is whole
   */
  SeenPacket(byte[] bytes, int length, int network) {
    this.frame = ByteBuffer.wrap(bytes, 0, length).slice();
    this.network = network;
    this.version = frame.get(network) >> 4 & 0xf;
    if (version == 4) {
      readIpv4();
    } else {
      walkIpv6();
    }
  }

  private int u8(int at) {
    return Byte.toUnsignedInt(frame.get(at));
  }

  private int u16(int at) {
    return Short.toUnsignedInt(frame.getShort(at));
  }

  private boolean has(int at, int bytes) {
    return at + bytes <= frame.capacity();
  }

  private void readIpv4() {
    int fragment = u16(network + 6);
    protocol = Seen.of(u8(network + 9));
    fragmentOffset = Optional.of(fragment & 0x1fff);
    isFragment = (fragment & 0x3fff) != 0;
    transport = network + (u8(network) & 0xf) * 4;
  }

  private void walkIpv6() {
    int next = u8(network + 6);
    transport = network + 40;
    for (int i = 0; i < MOST_EXTENSIONS && EXTENSIONS.contains(next); i++) {
      if (!has(transport, 4)) {
        isFragment = false;
        return;
      }
      if (next == FRAGMENT && !readFragment()) {
        return;
      }
      int length = u8(transport + 1);
      int type = next;
      next = u8(transport);
      transport +=
          type == FRAGMENT ? 8 : type == AUTHENTICATION ? (length + 2) * 4 : (length + 1) * 8;
    }
    if (EXTENSIONS.contains(next)) {
      isFragment = false;
      return;
    }
    protocol = Seen.of(next);
    fragmentOffset = Optional.of(0);
  }

  /** Whether the announced header follows. */
  private boolean readFragment() {
    int fragment = u16(transport + 2);
    int offset = fragment >> 3;
    if ((offset != 0 || (fragment & 1) != 0) && has(transport, 8)) {
      isFragment = true;
    }
    if (offset != 0) {
      fragmentOffset = Optional.of(offset);
    }
    return offset == 0;
  }

  int version() {
    return version;
  }

  Seen protocol() {
    return protocol;
  }

  /** The address, in network order. */
  byte[] address(boolean source) {
    byte[] address = new byte[version == 4 ? 4 : 16];
    int first = version == 4 ? 12 : 8;
    frame.get(network + first + (source ? 0 : address.length), address);
    return address;
  }

  boolean isLaterFragment() {
    return fragmentOffset.filter(offset -> offset > 0).isPresent();
  }

  /** 0: a whole datagram, 1: a first fragment, 2: a later one. */
  Seen fragment() {
    if (isFragment) {
      return isLaterFragment() ? Seen.of(2) : Seen.of(1);
    }
    return protocol.known() ? Seen.of(0) : Seen.UNKNOWN;
  }

  private boolean isIn(Set<Integer> protocols) {
    return protocols.contains(protocol.value().orElse(-1));
  }

  Seen tcpFlags() {
    if (fragmentOffset.filter(offset -> offset > 1).isPresent()
        || (protocol.known() && !isIn(Set.of(TCP)))) {
      return Seen.NONE;
    }
    boolean readable = protocol.known() && !isLaterFragment() && has(transport + 13, 1);
    return readable ? Seen.of(u8(transport + 13)) : Seen.UNKNOWN;
  }

  /** Type and code. */
  Seen icmp() {
    return behindIp(ICMP, 0);
  }

  Seen port(boolean source) {
    Seen first = behindIp(WITH_PORTS, 2);
    return source || first.value().isEmpty() ? first : Seen.of(u16(transport + 2));
  }

  /** 16 bits that protocols begin with, where the next bytes are there, too. */
  private Seen behindIp(Set<Integer> protocols, int more) {
    if (protocol.known() && !isIn(protocols)) {
      return Seen.NONE;
    }
    boolean readable = protocol.known() && !isLaterFragment() && has(transport, 2 + more);
    return readable ? Seen.of(u16(transport)) : Seen.UNKNOWN;
  }

  int dscp() {
    return (version == 4 ? u8(network + 1) : u16(network) >> 4 & 0xff) >> 2;
  }

  /** By the header; where IPv6 says 0 before options, what is there. */
  int length() {
    if (version == 4) {
      return u16(network + 2);
    }
    boolean untold = u16(network + 4) == 0 && u8(network + 6) == 0;
    return Math.min(LONGEST, untold ? frame.capacity() - network : 40 + u16(network + 4));
  }
}

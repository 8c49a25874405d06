// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.explain;

import dev.tokenbucket.api.v1alpha1.IpProtocol;
import java.net.InetAddress;
import java.nio.ByteBuffer;

/**
 * A packet in words.
 *
 * @param protocol the protocol's IP number
 * @param syn whether a TCP packet opens a connection: SYN without ACK
 * @param length the length of the frame, at least that of its headers
 */
public record PacketFields(
    InetAddress source,
    InetAddress destination,
    int protocol,
    int sourcePort,
    int destinationPort,
    boolean syn,
    int length) {
  private static final int ETHERNET = 14;
  private static final int IPV4 = 20;
  private static final int IPV6 = 40;
  private static final int HOP_LIMIT = 64;
  private static final int SYN = 0x02;
  private static final int ACK = 0x10;
  private static final int ECHO = 8;
  private static final int ECHO_OF_IPV6 = 128;

  /**
   * @throws IllegalArgumentException if the addresses are of two families
   */
  public PacketFields {
    if (source.getAddress().length != destination.getAddress().length) {
      throw new IllegalArgumentException(
          "%s and %s belong to different IP families"
              .formatted(source.getHostAddress(), destination.getHostAddress()));
    }
  }

  /** The frame on a link, with headers and zeros after them. */
  public byte[] frame(boolean ethernet) {
    boolean ipv4 = source.getAddress().length == Integer.BYTES;
    int link = ethernet ? ETHERNET : 0;
    int headers = link + (ipv4 ? IPV4 : IPV6) + transportBytes();
    ByteBuffer frame = ByteBuffer.allocate(Math.max(headers, length));
    if (ethernet) {
      frame.putShort(12, (short) (ipv4 ? 0x0800 : 0x86dd));
    }
    ByteBuffer ip = frame.slice(link, frame.capacity() - link);
    if (ipv4) {
      putIpv4(ip);
    } else {
      putIpv6(ip);
    }
    int transport = ipv4 ? IPV4 : IPV6;
    putTransport(ip.slice(transport, ip.capacity() - transport), ipv4);
    return frame.array();
  }

  private int transportBytes() {
    if (protocol == IpProtocol.TCP.number()) {
      return 20;
    }
    return protocol == IpProtocol.SCTP.number() ? 12 : 8;
  }

  private void putIpv4(ByteBuffer ip) {
    ip.put(0, (byte) 0x45).putShort(2, (short) ip.capacity());
    ip.put(8, (byte) HOP_LIMIT).put(9, (byte) protocol);
    ip.put(12, source.getAddress()).put(16, destination.getAddress());
    int sum = 0;
    for (int i = 0; i < IPV4; i += 2) {
      sum += Short.toUnsignedInt(ip.getShort(i));
    }
    ip.putShort(10, (short) ~((sum & 0xffff) + (sum >> 16)));
  }

  private void putIpv6(ByteBuffer ip) {
    ip.put(0, (byte) 0x60).putShort(4, (short) (ip.capacity() - IPV6));
    ip.put(6, (byte) protocol).put(7, (byte) HOP_LIMIT);
    ip.put(8, source.getAddress()).put(24, destination.getAddress());
  }

  private void putTransport(ByteBuffer to, boolean ipv4) {
    if (protocol == IpProtocol.ICMP.number() || protocol == IpProtocol.ICMPV6.number()) {
      to.put(0, (byte) (ipv4 ? ECHO : ECHO_OF_IPV6));
      return;
    }
    if (!hasPorts()) {
      return;
    }
    to.putShort(0, (short) sourcePort).putShort(2, (short) destinationPort);
    if (protocol == IpProtocol.TCP.number()) {
      to.put(12, (byte) 0x50).put(13, (byte) (syn ? SYN : ACK));
    } else if (protocol == IpProtocol.UDP.number()) {
      to.putShort(4, (short) to.capacity());
    }
  }

  private boolean hasPorts() {
    return protocol == IpProtocol.TCP.number()
        || protocol == IpProtocol.UDP.number()
        || protocol == IpProtocol.SCTP.number();
  }
}

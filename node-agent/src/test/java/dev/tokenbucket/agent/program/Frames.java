// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Ethernet frames, as a test sends them to the classifier. */
final class Frames {
  private static final int ETHERNET = 14;
  private static final int UDP = 17;
  private static final String LOCAL = "10.0.0.1";

  private Frames() {}

  /** A UDP frame of this length from a source to an address of the same family. */
  static byte[] udp(String source, int length) {
    byte[] address = address(source);
    return address.length == 4 ? ipv4(address, length) : ipv6(address, length);
  }

  private static byte[] ipv4(byte[] source, int length) {
    byte[] frame = ethernet(0x0800, length);
    ByteBuffer ip = ByteBuffer.wrap(frame, ETHERNET, length - ETHERNET);
    ip.put((byte) 0x45).put((byte) 0).putShort((short) (length - ETHERNET)).putInt(0);
    ip.put((byte) 64).put((byte) UDP).putShort((short) 0).put(source).put(address(LOCAL));
    return frame;
  }

  private static byte[] ipv6(byte[] source, int length) {
    byte[] frame = ethernet(0x86dd, length);
    ByteBuffer ip = ByteBuffer.wrap(frame, ETHERNET, length - ETHERNET);
    ip.putInt(0x6000_0000).putShort((short) (length - ETHERNET - 40));
    ip.put((byte) UDP).put((byte) 64).put(source).put(address("fd00::1"));
    return frame;
  }

  /** A frame of another protocol. */
  static byte[] arp() {
    return ethernet(0x0806, 60);
  }

  /** A frame that calls itself IPv4 and holds something else. */
  static byte[] mislabelled() {
    byte[] frame = udp("10.0.0.2", 100);
    frame[ETHERNET] = 0x25;
    return frame;
  }

  /** The same IPv4 packet to another destination. */
  static byte[] to(String destination, byte[] ipv4) {
    byte[] frame = ipv4.clone();
    System.arraycopy(address(destination), 0, frame, ETHERNET + 16, 4);
    return frame;
  }

  /** The same IPv4 packet from another source. */
  static byte[] from(String source, byte[] ipv4) {
    byte[] frame = ipv4.clone();
    System.arraycopy(address(source), 0, frame, ETHERNET + 12, 4);
    return frame;
  }

  /** A TCP segment without options and with these flags, from 10.0.0.2 to 10.0.0.1. */
  static byte[] tcp(int source, int destination, int flags) {
    byte[] frame = ports(6, source, destination);
    frame[ETHERNET + 20 + 12] = 0x50;
    frame[ETHERNET + 20 + 13] = (byte) flags;
    return frame;
  }

  static byte[] icmpv6(int type, int hopLimit) {
    return icmpv6("fd00::2", type, hopLimit);
  }

  static byte[] icmpv6(String source, int type, int hopLimit) {
    byte[] frame = udp(source, 100);
    frame[ETHERNET + 6] = 58;
    frame[ETHERNET + 7] = (byte) hopLimit;
    frame[ETHERNET + 40] = (byte) type;
    return frame;
  }

  /** An IPv4 packet of this protocol and TTL to a destination, with these two bytes behind IP. */
  static byte[] ipv4(String destination, int protocol, int ttl, int first, int second) {
    byte[] frame = to(destination, ports(protocol, first << 8 | second, 0));
    frame[ETHERNET + 8] = (byte) ttl;
    return frame;
  }

  /** The frame's first bytes. */
  static byte[] cut(byte[] frame, int length) {
    return Arrays.copyOf(frame, length);
  }

  /** The same packet with this TOS or traffic class, and a checksum that is right. */
  static byte[] withClass(byte[] packet, int trafficClass) {
    byte[] frame = packet.clone();
    ByteBuffer ip = ByteBuffer.wrap(frame, ETHERNET, frame.length - ETHERNET).slice();
    if (isIpv4(frame)) {
      ip.put(1, (byte) trafficClass);
      ip.putShort(10, (short) 0);
      ip.putShort(10, (short) ~sum(ip));
    } else {
      ip.putShort(0, (short) (0x6000 | trafficClass << 4));
    }
    return frame;
  }

  private static boolean isIpv4(byte[] frame) {
    return frame[ETHERNET] >> 4 == 4;
  }

  /** TOS or traffic class. */
  static int trafficClass(byte[] frame) {
    int first = ByteBuffer.wrap(frame).getShort(ETHERNET);
    return (isIpv4(frame) ? first : first >> 4) & 0xff;
  }

  /** Asserts the checksum of an IPv4 header without options; IPv6 has none. */
  static void assertChecksum(byte[] frame) {
    if (isIpv4(frame)) {
      assertThat(sum(ByteBuffer.wrap(frame, ETHERNET, 20).slice())).isEqualTo(0xffff);
    }
  }

  /** RFC 1071, over a header of 20 bytes. */
  private static int sum(ByteBuffer header) {
    int sum = 0;
    for (int i = 0; i < 20; i += 2) {
      sum += Short.toUnsignedInt(header.getShort(i));
    }
    return (sum & 0xffff) + (sum >> 16);
  }

  private static byte[] ethernet(int protocol, int length) {
    byte[] frame = new byte[length];
    ByteBuffer.wrap(frame).putShort(12, (short) protocol);
    return frame;
  }

  private static byte[] address(String text) {
    try {
      return InetAddress.getByName(text).getAddress();
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(text, e);
    }
  }

  /** Puts tags of these types (0x8100, 0x88a8) into a frame, the first outermost. */
  static byte[] tagged(byte[] frame, int... types) {
    ByteBuffer tagged = ByteBuffer.allocate(frame.length + 4 * types.length);
    tagged.put(frame, 0, ETHERNET - 2);
    for (int type : types) {
      tagged.putShort((short) type).putShort((short) 7);
    }
    return tagged.put(frame, ETHERNET - 2, frame.length - ETHERNET + 2).array();
  }

  /** A packet of this protocol with these ports, from 10.0.0.2 to 10.0.0.1. */
  static byte[] ports(int protocol, int source, int destination) {
    byte[] frame = udp("10.0.0.2", 100);
    frame[ETHERNET + 9] = (byte) protocol;
    ByteBuffer.wrap(frame, ETHERNET + 20, 4).putShort((short) source).putShort((short) destination);
    return frame;
  }

  /** Puts {@code words} of options, each 4 bytes, into an IPv4 frame. */
  static byte[] withOptions(byte[] ipv4, int words) {
    int options = words * 4;
    byte[] frame = new byte[ipv4.length + options];
    int behind = ETHERNET + 20;
    System.arraycopy(ipv4, 0, frame, 0, behind);
    System.arraycopy(ipv4, behind, frame, behind + options, ipv4.length - behind);
    Arrays.fill(frame, behind, behind + options, (byte) 1);
    frame[ETHERNET] = (byte) (0x45 + words);
    return frame;
  }

  /** The same IPv4 packet as a fragment at this offset, in 8 bytes. */
  static byte[] fragment(byte[] ipv4, int offset) {
    byte[] frame = ipv4.clone();
    ByteBuffer.wrap(frame).putShort(ETHERNET + 6, (short) (0x2000 | offset));
    return frame;
  }

  /**
   * A fragment of the datagram of this identification, with a checksum; the last where not more.
   */
  static byte[] fragment(byte[] ipv4, int datagram, int offset, boolean more) {
    byte[] frame = ipv4.clone();
    ByteBuffer.wrap(frame)
        .putShort(ETHERNET + 4, (short) datagram)
        .putShort(ETHERNET + 6, (short) ((more ? 0x2000 : 0) | offset));
    return withClass(frame, 0);
  }

  /** A UDP packet over IPv6 behind these extension headers, from fd00::2. */
  static byte[] extended(int source, int destination, Extension... extensions) {
    ByteBuffer chain = ByteBuffer.allocate(2048);
    for (int i = 0; i < extensions.length; i++) {
      int next = i + 1 < extensions.length ? extensions[i + 1].type() : UDP;
      chain.put((byte) next).put(extensions[i].body().duplicate());
    }
    chain.putShort((short) source).putShort((short) destination).putInt(0);
    byte[] frame = udp("fd00::2", ETHERNET + 40 + chain.position());
    System.arraycopy(chain.array(), 0, frame, ETHERNET + 40, chain.position());
    frame[ETHERNET + 6] = (byte) (extensions.length == 0 ? UDP : extensions[0].type());
    return frame;
  }

  /**
   * An IPv6 extension header.
   *
   * @param body what follows its next-header byte
   */
  record Extension(int type, ByteBuffer body) {
    static Extension hopByHop() {
      return new Extension(0, ByteBuffer.allocate(7));
    }

    static Extension destinationOptions() {
      return new Extension(60, ByteBuffer.allocate(7));
    }

    /** A fragment at this offset, in 8 bytes. */
    static Extension fragment(int offset) {
      return new Extension(44, ByteBuffer.allocate(7).putShort(1, (short) (offset << 3 | 1)));
    }

    /** Of the datagram of this identification. */
    static Extension fragment(int datagram, int offset, boolean more) {
      ByteBuffer body = ByteBuffer.allocate(7);
      return new Extension(
          44, body.putShort(1, (short) (offset << 3 | (more ? 1 : 0))).putInt(3, datagram));
    }

    /** The jumbo option of RFC 2675, which the kernel puts before merged packets. */
    static Extension jumbo(int length) {
      return new Extension(
          0, ByteBuffer.allocate(7).put(1, (byte) 0xc2).put(2, (byte) 4).putInt(3, length));
    }

    /** RFC 4302: 12 bytes, its length in 4 bytes less 2. */
    static Extension authentication() {
      return new Extension(51, ByteBuffer.allocate(11).put(0, (byte) 1));
    }
  }
}

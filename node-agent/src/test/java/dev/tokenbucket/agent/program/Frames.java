package dev.tokenbucket.agent.program;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;

/** Ethernet frames, as a test sends them to the classifier. */
final class Frames {
  private static final int ETHERNET = 14;
  private static final int UDP = 17;

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
    ip.put((byte) 64).put((byte) UDP).putShort((short) 0).put(source).put(address("10.0.0.1"));
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
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import java.nio.ByteBuffer;

/** The 64-byte frame of all measurements: Ethernet, IPv4 and UDP, with correct checksums. */
final class UdpFrame {
  static final int LENGTH = 64;

  /** A network that holds the source. */
  static final String SOURCE_NETWORK_16 = "10.77.0.0/16";

  private static final int ETHERNET = 14;
  private static final int IP = 20;
  private static final int UDP = 17;
  private static final int TTL = 64;
  private static final int SOURCE_PORT = 40_000;
  private static final int DESTINATION_PORT = 9;
  private static final int SOURCE = 0x0a4d_0a02;
  private static final int DESTINATION = 0x0a63_0001;

  private UdpFrame() {}

  /** A frame from 10.77.10.2 port 40000 to 10.99.0.1 port 9, with this destination MAC address. */
  static byte[] to(byte[] linkAddress) {
    ByteBuffer frame = ByteBuffer.allocate(LENGTH);
    frame.put(linkAddress).put(new byte[] {2, 0, 0, 0, 0, 1}).putShort((short) 0x0800);
    frame.putShort((short) 0x4500).putShort((short) (LENGTH - ETHERNET));
    // The identification is the complement of the source's low half, so that the checksum does not
    // change when flood.bpf.c sets both for another source.
    frame.putShort((short) ~SOURCE).putShort((short) 0);
    frame.put((byte) TTL).put((byte) UDP).putShort((short) 0);
    frame.putInt(SOURCE).putInt(DESTINATION);
    frame.putShort((short) SOURCE_PORT).putShort((short) DESTINATION_PORT);
    frame.putShort((short) (LENGTH - ETHERNET - IP)).putShort((short) 0);
    return frame.putShort(ETHERNET + 10, checksum(frame, ETHERNET, IP)).array();
  }

  /** A frame to an arbitrary MAC address. */
  static byte[] plain() {
    return to(new byte[] {2, 0, 0, 0, 0, 2});
  }

  private static short checksum(ByteBuffer frame, int offset, int length) {
    int sum = 0;
    for (int at = offset; at < offset + length; at += 2) {
      sum += Short.toUnsignedInt(frame.getShort(at));
    }
    while (sum >>> 16 != 0) {
      sum = (sum & 0xffff) + (sum >>> 16);
    }
    return (short) ~sum;
  }
}

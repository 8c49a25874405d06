// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Runtime;

/**
 * Sends packets into a tun device, as if from its far end: {@code DEVICE HEX COUNT}. The kernel
 * then holds one byte of a packet longer than a page in its linear part, and the headers outside of
 * it.
 */
final class TunPackets {
  private static final int O_RDWR = 2;
  private static final long TUNSETIFF = 0x400454caL;
  private static final short IFF_TUN = 1;
  private static final short IFF_NO_PI = 0x1000;
  private static final short IFF_VNET_HDR = 0x4000;

  /** struct virtio_net_hdr: no offload; hdr_len says how much of the packet is to be linear. */
  private static final ByteBuffer OFFLOAD =
      ByteBuffer.allocate(10).order(ByteOrder.nativeOrder()).putShort(2, (short) 1);

  private static final int NAME = 16;
  private static final int REQUEST = 40;

  /** The functions of libc that are used. */
  public interface LibC {
    int open(String path, int flags);

    int ioctl(int fd, long request, byte[] argument);

    long write(int fd, byte[] bytes, long length);

    int close(int fd);
  }

  private TunPackets() {}

  /** The command that receives a packet this many times. */
  static List<String> command(String device, String hex, int count) {
    return List.of(
        ProcessHandle.current().info().command().orElse("java"),
        "-cp",
        System.getProperty("java.class.path"),
        TunPackets.class.getName(),
        device,
        hex,
        Integer.toString(count));
  }

  public static void main(String[] arguments) {
    LibC library = LibraryLoader.create(LibC.class).load("c");
    byte[] bytes = java.util.HexFormat.of().parseHex(arguments[1]);
    byte[] packet =
        ByteBuffer.allocate(OFFLOAD.capacity() + bytes.length)
            .put(OFFLOAD.duplicate())
            .put(bytes)
            .array();
    int tun = library.open("/dev/net/tun", O_RDWR);
    byte[] request = new byte[REQUEST];
    byte[] name = arguments[0].getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(name, 0, request, 0, name.length);
    ByteBuffer.wrap(request)
        .order(ByteOrder.nativeOrder())
        .putShort(NAME, (short) (IFF_TUN | IFF_NO_PI | IFF_VNET_HDR));
    if (library.ioctl(tun, TUNSETIFF, request) < 0) {
      throw failure(library, "TUNSETIFF");
    }
    for (int i = 0; i < Integer.parseInt(arguments[2]); i++) {
      if (library.write(tun, packet, packet.length) < 0) {
        throw failure(library, "write");
      }
    }
    library.close(tun);
  }

  private static IllegalStateException failure(LibC library, String attempt) {
    return new IllegalStateException(
        attempt + ": errno " + Runtime.getRuntime(library).getLastError());
  }
}

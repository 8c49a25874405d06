// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.net.NetworkInterface;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Runtime;

/** Sends frames as they are, whole or broken, from a packet socket: {@code INTERFACE HEX COUNT}. */
final class RawFrames {
  private static final int AF_PACKET = 17;
  private static final int SOCK_RAW = 3;
  private static final int SOCKADDR_LL = 20;

  /** What is used of libc. */
  public interface LibC {
    int socket(int domain, int type, int protocol);

    long sendto(int socket, byte[] frame, long length, int flags, byte[] address, int size);

    int close(int fd);
  }

  private RawFrames() {}

  /** The command that sends a frame this many times. */
  static List<String> command(String interfaceName, String hex, int count) {
    return new ArrayList<>(
        List.of(
            ProcessHandle.current().info().command().orElse("java"),
            "-cp",
            System.getProperty("java.class.path"),
            RawFrames.class.getName(),
            interfaceName,
            hex,
            Integer.toString(count)));
  }

  public static void main(String[] arguments) throws Exception {
    LibC library = LibraryLoader.create(LibC.class).load("c");
    byte[] frame = java.util.HexFormat.of().parseHex(arguments[1]);
    int index = NetworkInterface.getByName(arguments[0]).getIndex();
    byte[] address = new byte[SOCKADDR_LL];
    ByteBuffer.wrap(address)
        .order(ByteOrder.nativeOrder())
        .putShort(0, (short) AF_PACKET)
        .putInt(4, index);
    int socket = library.socket(AF_PACKET, SOCK_RAW, 0);
    for (int i = 0; i < Integer.parseInt(arguments[2]); i++) {
      if (library.sendto(socket, frame, frame.length, 0, address, SOCKADDR_LL) < 0) {
        throw new IllegalStateException(
            "sendto: errno " + Runtime.getRuntime(library).getLastError());
      }
    }
    library.close(socket);
  }
}

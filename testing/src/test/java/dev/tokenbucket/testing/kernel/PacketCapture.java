// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.kernel;

import dev.tokenbucket.testing.kernel.ControlledSocket.LibC;
import jnr.ffi.LibraryLoader;

/**
 * A capture of all packets in the namespace of its creation. While it is open, packets share their
 * data with the capture.
 */
public final class PacketCapture implements AutoCloseable {
  private static final int AF_PACKET = 17;
  private static final int SOCK_RAW = 3;
  private static final int ETH_P_ALL = 3;

  private final LibC library = LibraryLoader.create(LibC.class).load("c");
  private final int socket;

  public PacketCapture() {
    int protocol = Short.toUnsignedInt(Short.reverseBytes((short) ETH_P_ALL));
    socket = library.socket(AF_PACKET, SOCK_RAW, protocol);
    if (socket < 0) {
      throw new IllegalStateException("no packet socket");
    }
  }

  @Override
  public void close() {
    library.close(socket);
  }
}

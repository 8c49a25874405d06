// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import jnr.ffi.LibraryLoader;

/** Frames as they cross the interfaces of a network namespace, by a packet socket. */
public final class Capture implements AutoCloseable {
  private static final int CLONE_NEWNET = 0x4000_0000;
  private static final int AF_PACKET = 17;
  private static final int SOCK_RAW_NONBLOCK = 3 | 0x800;
  private static final int ALL_PROTOCOLS = 0x0300; // ETH_P_ALL in network order
  private static final int MSG_TRUNC = 0x20;

  private final Calls calls;
  private final int socket;

  /** Of libc, by their C names. */
  public interface Calls {
    int unshare(int flags);

    int socket(int domain, int type, int protocol);

    long recv(int socket, byte[] buffer, long length, int flags);

    int close(int socket);
  }

  private Capture(Calls calls, int socket) {
    this.calls = calls;
    this.socket = socket;
  }

  /** Puts the calling thread, and what it starts, into a network namespace of its own. */
  public static void enterNewNamespace() {
    if (calls().unshare(CLONE_NEWNET) != 0) {
      throw new IllegalStateException("a network namespace can't be made");
    }
  }

  /** Begins with every interface of the thread's network namespace, those to come included. */
  public static Capture begin() {
    Calls calls = calls();
    int socket = calls.socket(AF_PACKET, SOCK_RAW_NONBLOCK, ALL_PROTOCOLS);
    if (socket < 0) {
      throw new IllegalStateException("a packet socket can't be opened");
    }
    return new Capture(calls, socket);
  }

  private static Calls calls() {
    return LibraryLoader.create(Calls.class).load("c");
  }

  /** The frames seen so far, each cut to this many bytes. */
  public List<byte[]> frames(int longest) {
    List<byte[]> frames = new ArrayList<>();
    byte[] buffer = new byte[longest];
    while (true) {
      long length = calls.recv(socket, buffer, longest, MSG_TRUNC);
      if (length <= 0) {
        return frames;
      }
      frames.add(Arrays.copyOf(buffer, (int) Math.min(length, longest)));
    }
  }

  @Override
  public void close() {
    calls.close(socket);
  }
}

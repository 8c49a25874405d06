// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import dev.tokenbucket.agent.kernel.NetlinkMessages.Message;
import dev.tokenbucket.agent.kernel.NetlinkMessages.Part;
import java.util.ArrayList;
import java.util.List;

/** Asks rtnetlink of this network namespace for a list. */
final class NetlinkDump {
  /** The most bytes that the kernel sends per part of a dump. */
  private static final int PART = 32 * 1024;

  /** Enough for more than 100,000 links. */
  private static final int MOST_PARTS = 10_000;

  /** Attempts at reading a list that does not change meanwhile. */
  private static final int TRIES = 5;

  private static final int EAGAIN = 11;
  private static final int EMSGSIZE = 90;

  private final NativeCalls calls;

  NetlinkDump(NativeCalls calls) {
    this.calls = calls;
  }

  /**
   * Sends a request and returns the messages of the answer. If the list changes while it is being
   * read, the request is repeated a few times.
   *
   * @param what the thing asked for, used in error messages
   * @throws KernelException if the whole list could not be read: a partial list would look as if
   *     the other interfaces or routes were gone
   */
  List<Message> read(String what, byte[] request) {
    for (int i = 0; i < TRIES; i++) {
      List<Message> messages = new ArrayList<>();
      if (!readOnce(what, request, messages)) {
        return messages;
      }
    }
    throw new KernelException("reading %s, at each of %d tries,".formatted(what, TRIES), EAGAIN);
  }

  /** Returns whether the kernel's list changed meanwhile. */
  private boolean readOnce(String what, byte[] request, List<Message> messages) {
    int socket = NetlinkSocket.open(calls, 0);
    try {
      check("asking for " + what, calls.library().send(socket, request, request.length, 0));
      boolean interrupted = false;
      for (int i = 0; i < MOST_PARTS; i++) {
        byte[] bytes = new byte[PART];
        int length = check("reading " + what, calls.library().recv(socket, bytes, PART, 0));
        Part part = NetlinkMessages.parse(bytes, length);
        if (part.error() != 0) {
          throw new KernelException("reading " + what, part.error());
        }
        messages.addAll(part.messages());
        interrupted |= part.interrupted();
        if (part.last()) {
          return interrupted;
        }
      }
      throw new KernelException("reading " + what, EMSGSIZE);
    } finally {
      calls.close(socket);
    }
  }

  private int check(String attempt, long result) {
    return NetlinkSocket.check(calls, attempt, result);
  }
}

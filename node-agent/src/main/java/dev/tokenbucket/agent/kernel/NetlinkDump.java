package dev.tokenbucket.agent.kernel;

/** Asks rtnetlink of this network namespace for a list. */
final class NetlinkDump {
  private static final int AF_NETLINK = 16;
  private static final int SOCK_RAW_CLOEXEC = 3 | 0x80000;
  private static final int NETLINK_ROUTE = 0;

  /** The kernel's messages of a dump are no larger. */
  private static final int PART = 32 * 1024;

  /** More than 100,000 links. */
  private static final int MOST_PARTS = 10_000;

  private final NativeCalls calls;

  NetlinkDump(NativeCalls calls) {
    this.calls = calls;
  }

  /** What reads the parts of an answer; it is called with the bytes of each. */
  interface Reader {
    /** Returns whether nothing follows. */
    boolean read(byte[] part, int length);
  }

  /**
   * Sends a request, and gives the parts of the answer to {@code reader}.
   *
   * @param what is asked for, for messages
   */
  void read(String what, byte[] request, Reader reader) {
    int socket =
        check(
            "opening a netlink socket",
            calls.library().socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE));
    try {
      check("asking for " + what, calls.library().send(socket, request, request.length, 0));
      byte[] part = new byte[PART];
      for (int i = 0; i < MOST_PARTS; i++) {
        int length = check("reading " + what, calls.library().recv(socket, part, part.length, 0));
        if (length == 0 || reader.read(part, length)) {
          return;
        }
      }
    } finally {
      calls.close(socket);
    }
  }

  private int check(String attempt, long result) {
    if (result < 0) {
      throw new KernelException(attempt, calls.runtime().getLastError());
    }
    return (int) result;
  }
}

package dev.tokenbucket.agent.kernel;

import java.util.ArrayList;
import java.util.List;

/** Asks rtnetlink for the links of this network namespace. */
final class LinkDump {
  private static final int AF_NETLINK = 16;
  private static final int SOCK_RAW_CLOEXEC = 3 | 0x80000;
  private static final int NETLINK_ROUTE = 0;

  /** The kernel's messages of a dump are no larger. */
  private static final int PART = 32 * 1024;

  /** More than 100,000 links. */
  private static final int MOST_PARTS = 10_000;

  private final NativeCalls calls;

  LinkDump(NativeCalls calls) {
    this.calls = calls;
  }

  List<NetworkDevice> devices() {
    int socket =
        check(
            "opening a netlink socket",
            calls.library().socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE));
    try {
      byte[] request = LinkMessages.request();
      check("asking for the links", calls.library().send(socket, request, request.length, 0));
      List<NetworkDevice> devices = new ArrayList<>();
      byte[] part = new byte[PART];
      for (int i = 0; i < MOST_PARTS; i++) {
        int length = check("reading the links", calls.library().recv(socket, part, part.length, 0));
        LinkMessages.Part read = LinkMessages.parse(part, length);
        devices.addAll(read.devices());
        if (read.last() || length == 0) {
          break;
        }
      }
      return List.copyOf(devices);
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

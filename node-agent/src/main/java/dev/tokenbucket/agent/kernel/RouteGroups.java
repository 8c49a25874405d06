package dev.tokenbucket.agent.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Hears rtnetlink's messages to all about links and routes; what they say is not looked at. */
final class RouteGroups implements Kernel.NetworkWatch {
  private static final short AF_NETLINK = 16;
  private static final int SOCK_RAW = 3;
  private static final int SOCK_CLOEXEC = 0x80000;
  private static final int SOCK_NONBLOCK = 0x800;
  private static final int NETLINK_ROUTE = 0;

  // linux/rtnetlink.h
  private static final int RTMGRP_LINK = 1;
  private static final int RTMGRP_IPV4_ROUTE = 0x40;
  private static final int RTMGRP_IPV6_ROUTE = 0x400;

  /** struct sockaddr_nl. */
  private static final int ADDRESS_SIZE = 12;

  private static final int EAGAIN = 11;
  private static final int MSG_TRUNC = 0x20;

  /** Messages taken at once; what is left tells of a change at the next call. */
  private static final int MOST_MESSAGES = 10_000;

  private final NativeCalls calls;
  private final int socket;
  private final byte[] start = new byte[16];

  RouteGroups(NativeCalls calls) {
    this.calls = calls;
    this.socket =
        check(
            "opening a netlink socket",
            calls
                .library()
                .socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
    byte[] address =
        ByteBuffer.allocate(ADDRESS_SIZE)
            .order(ByteOrder.nativeOrder())
            .putShort(AF_NETLINK)
            .putShort((short) 0)
            .putInt(0)
            .putInt(RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE)
            .array();
    check(
        "listening to changes of interfaces",
        calls.library().bind(socket, address, address.length));
  }

  @Override
  public boolean changed() {
    boolean changed = false;
    for (int i = 0; i < MOST_MESSAGES; i++) {
      if (calls.library().recv(socket, start, start.length, MSG_TRUNC) < 0) {
        // Any other than EAGAIN: messages were lost, and may have told of a change.
        return changed || calls.runtime().getLastError() != EAGAIN;
      }
      changed = true;
    }
    return changed;
  }

  private int check(String attempt, int result) {
    if (result < 0) {
      throw new KernelException(attempt, calls.runtime().getLastError());
    }
    return result;
  }

  @Override
  public void close() {
    calls.close(socket);
  }
}

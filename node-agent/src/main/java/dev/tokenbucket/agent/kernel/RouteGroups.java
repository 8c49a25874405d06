// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;

/**
 * Listens to rtnetlink's multicast messages about links, routes, next hops and IPv4 addresses.
 * (Removing an IPv4 address removes routes without a message of their own.) A message only says
 * that something changed; the caller asks the kernel for the current state. Routes other than
 * default routes do not count as changes, so a node that learns thousands of routes is not kept
 * busy.
 */
final class RouteGroups implements KernelDevices.NetworkWatch {
  private static final short AF_NETLINK = 16;

  // linux/rtnetlink.h
  private static final int RTMGRP_LINK = 1;
  private static final int RTMGRP_IPV4_IFADDR = 0x10;
  private static final int RTMGRP_IPV4_ROUTE = 0x40;
  private static final int RTMGRP_IPV6_ROUTE = 0x400;

  /** RTNLGRP_NEXTHOP is group 32. */
  private static final int RTMGRP_NEXTHOP = 1 << 31;

  private static final int RTM_NEWROUTE = 24;
  private static final int RTM_DELROUTE = 25;

  /** Bytes of struct sockaddr_nl. */
  private static final int ADDRESS_SIZE = 12;

  /**
   * Bytes of struct nlmsghdr and of the first two fields of struct rtmsg: family, destination
   * length.
   */
  private static final int HEAD = 18;

  private static final int TYPE_AT = 4;
  private static final int DESTINATION_LENGTH_AT = 17;

  private static final int EAGAIN = 11;
  private static final int MSG_TRUNC = 0x20;

  /** Bytes of struct pollfd. */
  private static final int POLL_SIZE = 8;

  private static final short POLLIN = 1;

  /** Messages read per call. The rest stay queued, and the next call reports them. */
  private static final int MOST_MESSAGES = 10_000;

  private final NativeCalls calls;
  private final int socket;
  private final byte[] bytes = new byte[HEAD];
  private final ByteBuffer head = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());

  RouteGroups(NativeCalls calls) {
    this.calls = calls;
    this.socket = NetlinkSocket.open(calls, NetlinkSocket.NON_BLOCKING);
    byte[] address =
        ByteBuffer.allocate(ADDRESS_SIZE)
            .order(ByteOrder.nativeOrder())
            .putShort(AF_NETLINK)
            .putShort((short) 0)
            .putInt(0)
            .putInt(
                RTMGRP_LINK
                    | RTMGRP_IPV4_IFADDR
                    | RTMGRP_IPV4_ROUTE
                    | RTMGRP_IPV6_ROUTE
                    | RTMGRP_NEXTHOP)
            .array();
    NetlinkSocket.check(
        calls,
        "listening to changes of interfaces and routes",
        calls.library().bind(socket, address, address.length));
  }

  @Override
  public boolean await(Duration most) {
    Pointer descriptor = Memory.allocateDirect(calls.runtime(), POLL_SIZE, true);
    descriptor.putInt(0, socket);
    descriptor.putShort(4, POLLIN);
    return calls.library().poll(descriptor, 1, Math.toIntExact(most.toMillis())) > 0 && changed();
  }

  private boolean changed() {
    boolean changed = false;
    for (int i = 0; i < MOST_MESSAGES; i++) {
      long length = calls.library().recv(socket, bytes, bytes.length, MSG_TRUNC);
      if (length < 0) {
        // An error other than EAGAIN means lost messages, which may have reported a change.
        return changed || calls.runtime().getLastError() != EAGAIN;
      }
      changed |= isChange(length);
    }
    return changed;
  }

  private boolean isChange(long length) {
    if (length < HEAD) {
      return true;
    }
    int type = Short.toUnsignedInt(head.getShort(TYPE_AT));
    boolean isRoute = type == RTM_NEWROUTE || type == RTM_DELROUTE;
    return !isRoute || head.get(DESTINATION_LENGTH_AT) == 0;
  }

  @Override
  public void close() {
    calls.close(socket);
  }
}

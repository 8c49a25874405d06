// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

/** Sockets of rtnetlink. */
final class NetlinkSocket {
  /** SOCK_NONBLOCK. */
  static final int NON_BLOCKING = 0x800;

  private static final int AF_NETLINK = 16;
  private static final int SOCK_RAW_CLOEXEC = 3 | 0x80000;
  private static final int NETLINK_ROUTE = 0;

  private NetlinkSocket() {}

  /**
   * Opens a socket in this network namespace.
   *
   * @param flags {@link #NON_BLOCKING}, or 0
   */
  static int open(NativeCalls calls, int flags) {
    return check(
        calls,
        "opening a netlink socket",
        calls.library().socket(AF_NETLINK, SOCK_RAW_CLOEXEC | flags, NETLINK_ROUTE));
  }

  /**
   * Returns a call's result.
   *
   * @throws KernelException with errno if the result is negative
   */
  static int check(NativeCalls calls, String attempt, long result) {
    if (result < 0) {
      throw new KernelException(attempt, calls.runtime().getLastError());
    }
    return (int) result;
  }
}

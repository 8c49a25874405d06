// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.util.List;
import java.util.Optional;

/** Asks rtnetlink for the links of this network namespace. */
final class LinkDump {
  private final NetlinkDump dump;

  LinkDump(NativeCalls calls) {
    this.dump = new NetlinkDump(calls);
  }

  List<NetworkDevice> devices() {
    return LinkMessages.devices(dump.read("the links", LinkMessages.request()));
  }

  /**
   * The id of the XDP program on an interface; empty if there is none.
   *
   * @throws KernelException with ENODEV if there is no such interface
   */
  Optional<Long> xdpProgram(int ifindex) {
    return LinkMessages.xdpProgram(dump.read("a link", LinkMessages.request(ifindex)));
  }
}

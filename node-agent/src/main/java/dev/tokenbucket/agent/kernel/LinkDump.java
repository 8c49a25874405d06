package dev.tokenbucket.agent.kernel;

import java.util.List;

/** Asks rtnetlink for the links of this network namespace. */
final class LinkDump {
  private final NetlinkDump dump;

  LinkDump(NativeCalls calls) {
    this.dump = new NetlinkDump(calls);
  }

  List<NetworkDevice> devices() {
    return LinkMessages.devices(dump.read("the links", LinkMessages.request()));
  }
}

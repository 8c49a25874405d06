package dev.tokenbucket.agent.kernel;

import java.util.ArrayList;
import java.util.List;

/** Asks rtnetlink for the links of this network namespace. */
final class LinkDump {
  private final NetlinkDump dump;

  LinkDump(NativeCalls calls) {
    this.dump = new NetlinkDump(calls);
  }

  List<NetworkDevice> devices() {
    List<NetworkDevice> devices = new ArrayList<>();
    dump.read(
        "the links",
        LinkMessages.request(),
        (part, length) -> {
          LinkMessages.Part read = LinkMessages.parse(part, length);
          devices.addAll(read.devices());
          return read.last();
        });
    return List.copyOf(devices);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.match;

import dev.tokenbucket.agent.layout.FailsafeKind;
import dev.tokenbucket.agent.layout.FailsafeSlot;

/** The kinds of failsafe traffic (failsafe.h). Each kind has its own bucket on a node. */
public enum FailsafeTraffic {
  NEIGHBOUR_DISCOVERY(FailsafeKind.FAILSAFE_NEIGHBOUR, "neighbour-discovery", 1_000),
  DHCP(FailsafeKind.FAILSAFE_DHCP, "dhcp", 1_000),
  MULTICAST_GROUPS(FailsafeKind.FAILSAFE_GROUP, "multicast-groups", 1_000),
  PATH_MTU(FailsafeKind.FAILSAFE_PATH_MTU, "path-mtu", 1_000),
  PEERS(FailsafeKind.FAILSAFE_PEER, "peers", 100_000);

  private final int kind;
  private final String text;
  private final long packetsPerSecond;

  FailsafeTraffic(int kind, String text, long packetsPerSecond) {
    this.kind = kind;
    this.text = text;
    this.packetsPerSecond = packetsPerSecond;
  }

  /** The kind's number, one of {@link FailsafeKind}. */
  public int kind() {
    return kind;
  }

  /** The slot of the kind's bucket in the host's maps. */
  public int slot() {
    return FailsafeSlot.FAILSAFE_SLOT + kind;
  }

  /** The name in status and metrics. */
  public String text() {
    return text;
  }

  /** The rate of the kind's bucket; the burst is as large. */
  public long packetsPerSecond() {
    return packetsPerSecond;
  }
}

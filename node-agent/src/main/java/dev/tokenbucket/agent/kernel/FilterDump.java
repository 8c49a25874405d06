// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Asks rtnetlink for the filters of an interface's clsact qdisc (linux/pkt_sched.h). */
final class FilterDump {
  static final int INGRESS = 0xffff_fff2;
  static final int EGRESS = 0xffff_fff3;

  private static final int RTM_NEWTFILTER = 44;
  private static final int RTM_GETTFILTER = 46;

  /** Bytes of struct tcmsg. */
  private static final int FILTER_HEADER = 20;

  private static final int INDEX_AT = 4;
  private static final int PARENT_AT = 12;

  private final NetlinkDump dump;

  FilterDump(NativeCalls calls) {
    this.dump = new NetlinkDump(calls);
  }

  /**
   * Whether the qdisc has any filter, regardless of its owner; false if there is no such interface
   * or qdisc.
   *
   * @param side {@link #INGRESS} or {@link #EGRESS}
   */
  boolean any(int ifindex, int side) {
    return dump.read("the filters of interface " + ifindex, request(ifindex, side)).stream()
        .anyMatch(message -> message.type() == RTM_NEWTFILTER);
  }

  private static byte[] request(int ifindex, int side) {
    return NetlinkMessages.dumpRequest(
        RTM_GETTFILTER,
        ByteBuffer.allocate(FILTER_HEADER)
            .order(ByteOrder.nativeOrder())
            .putInt(INDEX_AT, ifindex)
            .putInt(PARENT_AT, side)
            .array());
  }
}

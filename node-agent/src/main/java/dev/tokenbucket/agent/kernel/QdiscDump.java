// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Asks rtnetlink for the queueing disciplines of interfaces (linux/pkt_sched.h). */
final class QdiscDump {
  private static final int RTM_NEWQDISC = 36;
  private static final int RTM_GETQDISC = 38;

  /**
   * The parent of a clsact or ingress qdisc. An interface has at most one qdisc of these two kinds.
   */
  private static final int CLSACT = 0xffff_fff1;

  /** Bytes of struct tcmsg. */
  private static final int QDISC_HEADER = 20;

  private static final int INDEX_AT = 4;
  private static final int PARENT_AT = 12;

  private final NetlinkDump dump;

  QdiscDump(NativeCalls calls) {
    this.dump = new NetlinkDump(calls);
  }

  /** Whether an interface has a clsact or ingress qdisc, regardless of its owner. */
  boolean hasClsact(int ifindex) {
    byte[] request =
        NetlinkMessages.dumpRequest(RTM_GETQDISC, ByteBuffer.allocate(QDISC_HEADER).array());
    return dump.read("the qdiscs", request).stream()
        .filter(message -> message.type() == RTM_NEWQDISC)
        .map(NetlinkMessages.Message::body)
        .filter(body -> body.remaining() >= QDISC_HEADER)
        .map(body -> body.duplicate().order(ByteOrder.nativeOrder()))
        .anyMatch(body -> body.getInt(INDEX_AT) == ifindex && body.getInt(PARENT_AT) == CLSACT);
  }
}

package dev.tokenbucket.agent.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Asks rtnetlink for the filters of an interface's clsact qdisc (linux/pkt_sched.h). */
final class FilterDump {
  static final int INGRESS = 0xffff_fff2;
  static final int EGRESS = 0xffff_fff3;

  private static final int RTM_NEWTFILTER = 44;
  private static final int RTM_GETTFILTER = 46;
  private static final int NLM_F_REQUEST_DUMP = 0x301;
  private static final int NLMSG_ERROR = 2;
  private static final int NLMSG_DONE = 3;
  private static final int MESSAGE_HEADER = 16;

  /** struct tcmsg. */
  private static final int FILTER_HEADER = 20;

  private final NetlinkDump dump;

  FilterDump(NativeCalls calls) {
    this.dump = new NetlinkDump(calls);
  }

  /**
   * Whether there is a filter, of whomever; none where there is no such interface or qdisc.
   *
   * @param side {@link #INGRESS} or {@link #EGRESS}
   */
  boolean any(int ifindex, int side) {
    boolean[] found = {false};
    dump.read(
        "the filters of interface " + ifindex,
        request(ifindex, side),
        (part, length) -> {
          Part read = parse(part, length);
          found[0] |= read.anyFilter();
          return read.last();
        });
    return found[0];
  }

  static byte[] request(int ifindex, int side) {
    return ByteBuffer.allocate(MESSAGE_HEADER + FILTER_HEADER)
        .order(ByteOrder.nativeOrder())
        .putInt(MESSAGE_HEADER + FILTER_HEADER)
        .putShort((short) RTM_GETTFILTER)
        .putShort((short) NLM_F_REQUEST_DUMP)
        .putInt(MESSAGE_HEADER + 4, ifindex)
        .putInt(MESSAGE_HEADER + 12, side)
        .array();
  }

  /**
   * What one read gave.
   *
   * @param last nothing follows
   */
  record Part(boolean anyFilter, boolean last) {}

  /** Total: a message that is cut short ends the part. */
  static Part parse(byte[] bytes, int length) {
    ByteBuffer from = ByteBuffer.wrap(bytes, 0, length).order(ByteOrder.nativeOrder());
    boolean any = false;
    for (int at = 0; at + MESSAGE_HEADER <= length; ) {
      int size = from.getInt(at);
      int type = Short.toUnsignedInt(from.getShort(at + 4));
      if (type == NLMSG_DONE || type == NLMSG_ERROR || size < MESSAGE_HEADER) {
        return new Part(any, true);
      }
      any |= type == RTM_NEWTFILTER;
      at += Math.min(length, (size + 3) & ~3);
    }
    return new Part(any, false);
  }
}

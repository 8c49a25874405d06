// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.replay;

/** Packets and bytes that conformed and exceeded, for a policy or for one key. */
final class Tally {
  private static final long NONE = Long.MIN_VALUE;

  long conformPackets;
  long conformBytes;
  long exceedPackets;
  long exceedBytes;
  private long firstExceed = NONE;

  void add(long after, long bytes, boolean exceeds) {
    if (!exceeds) {
      conformPackets++;
      conformBytes += bytes;
      return;
    }
    exceedPackets++;
    exceedBytes += bytes;
    if (firstExceed == NONE) {
      firstExceed = after;
    }
  }

  boolean hasExceeded() {
    return firstExceed != NONE;
  }

  /** Nanoseconds from the capture's first packet to the first that exceeded. */
  long firstExceed() {
    return firstExceed;
  }
}

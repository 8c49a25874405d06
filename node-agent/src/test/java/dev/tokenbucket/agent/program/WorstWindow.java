// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.LongUnaryOperator;

/**
 * Finds, in a log of packets that passed, the window of time in which they exceed the granted
 * tokens most. A segment tree over the moments at which a window can begin covers every window.
 */
final class WorstWindow {
  private final long[] starts;
  private final long[] largest;
  private final long[] added;
  private final int leaves;

  /**
   * A packet that passed.
   *
   * @param entry no later than it was judged; equal to {@code exit} under a virtual clock
   * @param exit no earlier than it was judged
   */
  record Passed(long entry, long exit, long tokens) {}

  private WorstWindow(long[] starts, LongUnaryOperator granted) {
    this.starts = starts;
    leaves = Math.max(1, Integer.highestOneBit(Math.max(1, starts.length - 1)) << 1);
    largest = new long[2 * leaves];
    added = new long[2 * leaves];
    Arrays.fill(largest, Long.MIN_VALUE / 2);
    for (int i = 0; i < starts.length; i++) {
      largest[leaves + i] = granted.applyAsLong(starts[i]);
    }
    for (int node = leaves - 1; node > 0; node--) {
      largest[node] = Math.max(largest[2 * node], largest[2 * node + 1]);
    }
  }

  /**
   * The most by which the packets whose entry and exit both lie in a window exceed what was granted
   * in it, over all windows.
   *
   * @param granted tokens granted by a moment
   */
  static long excess(List<Passed> log, LongUnaryOperator granted) {
    if (log.isEmpty()) {
      return 0;
    }
    long[] starts = log.stream().mapToLong(Passed::entry).sorted().distinct().toArray();
    WorstWindow windows = new WorstWindow(starts, granted);
    List<Passed> byExit = log.stream().sorted(Comparator.comparingLong(Passed::exit)).toList();
    long worst = Long.MIN_VALUE;
    for (Passed packet : byExit) {
      // Windows that begin no later than this packet's entry hold it, from now on.
      int end = windows.startsUpTo(packet.entry());
      windows.add(1, 0, windows.leaves, end, packet.tokens());
      long most = windows.largest(1, 0, windows.leaves, windows.startsUpTo(packet.exit()));
      worst = Math.max(worst, most - granted.applyAsLong(packet.exit()));
    }
    return worst;
  }

  private int startsUpTo(long moment) {
    int at = Arrays.binarySearch(starts, moment);
    return at >= 0 ? at + 1 : -at - 1;
  }

  /** Adds tokens to the leaves before {@code end}. */
  private void add(int node, int from, int to, int end, long tokens) {
    if (end >= to) {
      largest[node] += tokens;
      added[node] += tokens;
      return;
    }
    int middle = (from + to) / 2;
    add(2 * node, from, middle, end, tokens);
    if (end > middle) {
      add(2 * node + 1, middle, to, end, tokens);
    }
    largest[node] = Math.max(largest[2 * node], largest[2 * node + 1]) + added[node];
  }

  /** The largest of the leaves before {@code end}. */
  private long largest(int node, int from, int to, int end) {
    if (end >= to) {
      return largest[node];
    }
    int middle = (from + to) / 2;
    long left = largest(2 * node, from, middle, end);
    return added[node]
        + (end > middle ? Math.max(left, largest(2 * node + 1, middle, to, end)) : left);
  }
}

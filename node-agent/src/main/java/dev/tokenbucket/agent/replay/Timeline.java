// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.replay;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Packets over time in a bounded number of equal steps of at least a second: when the steps would
 * become too many, each two are merged into one.
 */
public final class Timeline {
  static final int MOST_STEPS = 60;

  private static final long SECOND = 1_000_000_000;

  private final long[] conform = new long[MOST_STEPS];
  private final long[] exceed = new long[MOST_STEPS];
  private long step = SECOND;
  private int used;

  /**
   * A step.
   *
   * @param seconds from the first packet to the step's beginning
   */
  public record Step(double seconds, long conformPackets, long exceedPackets) {}

  /**
   * Adds a packet, given its time in nanoseconds after the first one; an earlier packet counts in
   * the first step.
   */
  void add(long after, boolean exceeds) {
    long at = Math.max(0, after) / step;
    while (at >= MOST_STEPS) {
      fold(conform);
      fold(exceed);
      used = (used + 1) / 2;
      step *= 2;
      at = Math.max(0, after) / step;
    }
    (exceeds ? exceed : conform)[(int) at]++;
    used = Math.max(used, (int) at + 1);
  }

  private static void fold(long[] steps) {
    for (int i = 0; i < MOST_STEPS / 2; i++) {
      steps[i] = steps[2 * i] + steps[2 * i + 1];
    }
    Arrays.fill(steps, MOST_STEPS / 2, MOST_STEPS, 0);
  }

  /** The length of a step. */
  public double stepSeconds() {
    return step / (double) SECOND;
  }

  /** The steps from the first to the last one with a packet. */
  public List<Step> steps() {
    List<Step> steps = new ArrayList<>();
    for (int i = 0; i < used; i++) {
      steps.add(new Step(i * stepSeconds(), conform[i], exceed[i]));
    }
    return List.copyOf(steps);
  }
}

package dev.tokenbucket.agent.replay;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Packets over time in a bounded number of steps of equal length, from a second up: where they
 * would become too many, two become one.
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
   * @param seconds from the first packet to its beginning
   */
  public record Step(double seconds, long conformPackets, long exceedPackets) {}

  /**
   * Adds a packet, so many nanoseconds after the first; one from before it is of the first step.
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

  /** How long a step is. */
  public double stepSeconds() {
    return step / (double) SECOND;
  }

  /** From the first to the last that has a packet. */
  public List<Step> steps() {
    List<Step> steps = new ArrayList<>();
    for (int i = 0; i < used; i++) {
      steps.add(new Step(i * stepSeconds(), conform[i], exceed[i]));
    }
    return List.copyOf(steps);
  }
}

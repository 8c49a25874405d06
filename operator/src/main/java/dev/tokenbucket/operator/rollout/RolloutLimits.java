package dev.tokenbucket.operator.rollout;

import dev.tokenbucket.api.v1alpha1.Rollout;
import io.fabric8.kubernetes.api.model.IntOrString;
import org.jspecify.annotations.Nullable;

/**
 * A policy's {@code spec.rollout} with its defaults filled in.
 *
 * @param concurrent nodes that may change at a time, from 1; a percentage where {@code percent}
 * @param maxFailures failed nodes that do not halt the rollout yet
 * @param paused whether no further node is to be admitted
 */
public record RolloutLimits(int concurrent, boolean percent, int maxFailures, boolean paused) {
  /** What holds where a policy says nothing. */
  public static final RolloutLimits DEFAULT = of(null);

  /**
   * Reads what the CRD's schema has let pass.
   *
   * @throws IllegalArgumentException naming field, value and what is allowed
   */
  public static RolloutLimits of(@Nullable Rollout rollout) {
    IntOrString concurrent = rollout == null ? null : rollout.maxConcurrent();
    String text =
        concurrent == null ? Rollout.DEFAULT_MAX_CONCURRENT : String.valueOf(concurrent.getValue());
    Integer failures = rollout == null ? null : rollout.maxFailures();
    Boolean paused = rollout == null ? null : rollout.pause();
    boolean percent = text.endsWith("%");
    return new RolloutLimits(
        number(percent ? text.substring(0, text.length() - 1) : text, text, percent),
        percent,
        failures == null ? Rollout.DEFAULT_MAX_FAILURES : failures,
        paused != null && paused);
  }

  private static int number(String digits, String text, boolean percent) {
    try {
      int number = Integer.parseInt(digits);
      if (number >= 1 && !(percent && number > 100)) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Told of below, as any other text that is not allowed.
    }
    throw new IllegalArgumentException(
        "spec.rollout.maxConcurrent: Invalid value: \""
            + text
            + "\": must be a number of nodes from 1, or a percentage from 1% to 100%");
  }

  /** How many of so many nodes may change at a time; a percentage is rounded up. */
  public int concurrentOf(int nodes) {
    return percent ? Math.toIntExact(((long) nodes * concurrent + 99) / 100) : concurrent;
  }
}

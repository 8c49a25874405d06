// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.rollout;

import dev.tokenbucket.api.v1alpha1.Rollout;
import io.fabric8.kubernetes.api.model.IntOrString;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A policy's {@code spec.rollout} with its defaults filled in.
 *
 * @param concurrent the most nodes that may change at a time, from 1
 * @param maxFailures the most failed nodes that do not halt the rollout
 * @param minReady how long a node holds its place after it has confirmed
 * @param progressDeadline how long a node may take to confirm
 * @param paused whether further admissions are stopped
 */
public record RolloutLimits(
    NodeAmount concurrent,
    NodeAmount maxFailures,
    Duration minReady,
    Duration progressDeadline,
    boolean paused) {
  /** The defaults. */
  public static final RolloutLimits DEFAULT = of(null);

  /**
   * Reads a rollout that the CRD's schema has accepted.
   *
   * @throws IllegalArgumentException naming field, value and what is allowed
   */
  public static RolloutLimits of(@Nullable Rollout rollout) {
    if (rollout == null) {
      return of(new Rollout(null, null, null, null, null));
    }
    return new RolloutLimits(
        NodeAmount.parse(
            "spec.rollout.maxConcurrent",
            text(rollout.maxConcurrent(), Rollout.DEFAULT_MAX_CONCURRENT),
            1),
        NodeAmount.parse(
            "spec.rollout.maxFailures",
            text(rollout.maxFailures(), Rollout.DEFAULT_MAX_FAILURES),
            0),
        seconds(rollout.minReadySeconds(), Rollout.DEFAULT_MIN_READY_SECONDS),
        seconds(rollout.progressDeadlineSeconds(), Rollout.DEFAULT_PROGRESS_DEADLINE_SECONDS),
        Boolean.TRUE.equals(rollout.paused()));
  }

  private static String text(@Nullable IntOrString value, String byDefault) {
    return value == null ? byDefault : String.valueOf(value.getValue());
  }

  private static Duration seconds(@Nullable Integer value, int byDefault) {
    return Duration.ofSeconds(value == null ? byDefault : value);
  }
}

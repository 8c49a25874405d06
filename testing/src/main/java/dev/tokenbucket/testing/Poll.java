// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waits for a condition that comes true by itself. */
public final class Poll {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final Duration PERIOD = Duration.ofMillis(50);

  private Poll() {}

  /** Waits for at most 20 s, then fails with {@link StepFailedException}. */
  public static void until(String what, BooleanSupplier reached) {
    until(what, SOON, reached);
  }

  /** Waits for at most this time, then fails with {@link StepFailedException}. */
  public static void until(String what, Duration most, BooleanSupplier reached) {
    until(what, most, reached, () -> "");
  }

  /**
   * Waits for at most this time, then fails with {@link StepFailedException}.
   *
   * @param seen describes the present state for the failure's message
   */
  public static void until(
      String what, Duration most, BooleanSupplier reached, Supplier<String> seen) {
    long end = System.nanoTime() + most.toNanos();
    while (!reached.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new StepFailedException(
            "no %s within %d s %s".formatted(what, most.toSeconds(), seen.get()).strip(), null);
      }
      Daemon.pause(PERIOD);
    }
  }
}

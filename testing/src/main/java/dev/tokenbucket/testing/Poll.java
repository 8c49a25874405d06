package dev.tokenbucket.testing;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waits for what comes about by itself. */
public final class Poll {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final Duration PERIOD = Duration.ofMillis(50);

  private Poll() {}

  /** Waits for 20 s at the most; fails with {@link StepFailedException} after that. */
  public static void until(String what, BooleanSupplier reached) {
    until(what, SOON, reached);
  }

  /** Waits for so long at the most; fails with {@link StepFailedException} after that. */
  public static void until(String what, Duration most, BooleanSupplier reached) {
    long end = System.nanoTime() + most.toNanos();
    while (!reached.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new StepFailedException("no " + what + " within " + most.toSeconds() + " s", null);
      }
      Daemon.pause(PERIOD);
    }
  }
}

package dev.tokenbucket.testing;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

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
    until(what, most, reached, () -> "");
  }

  /**
   * The same.
   *
   * @param seen what there is instead, for the failure's message
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

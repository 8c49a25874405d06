package dev.tokenbucket.agent.source;

import java.time.Duration;

/**
 * Tells an object that is gone from one that is away for a moment: a deleted Node whose state is
 * collected, from a node state that somebody deletes and the operator writes again.
 */
public final class Absence {
  private final long nanos;
  private boolean absent;
  private long since;

  /**
   * @param least for how long it must have been absent
   */
  Absence(Duration least) {
    this.nanos = least.toNanos();
  }

  /**
   * Whether it has been absent for long enough.
   *
   * @param seenAbsent whether it is absent now, by the word of one who knows; not knowing begins
   *     anew
   * @param now nanoseconds, as {@link System#nanoTime}
   */
  boolean lasts(boolean seenAbsent, long now) {
    if (!absent && seenAbsent) {
      since = now;
    }
    absent = seenAbsent;
    return absent && now - since >= nanos;
  }
}

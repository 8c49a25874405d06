// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import java.time.Duration;

/**
 * Tells an object that is gone from one that is away for a moment. A deleted Node's state is
 * collected for good; a node state that somebody deletes is written again by the operator.
 */
public final class Absence {
  private final long nanos;
  private boolean absent;
  private long since;

  /**
   * @param least how long the object must have been absent
   */
  Absence(Duration least) {
    this.nanos = least.toNanos();
  }

  /**
   * Whether the object has been absent for long enough.
   *
   * @param seenAbsent whether the API server says that the object is absent now; false if its
   *     answer is not known, which restarts the time
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

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The time of the last successful write of this agent to the API server. Pure. One thread at a time
 * records contacts; any thread may read them.
 */
public final class Contact {
  private final long nanos;
  private volatile @Nullable Made last;

  private record Made(long at, Instant time) {}

  /**
   * @param fresh for how long a contact is fresh
   */
  Contact(Duration fresh) {
    nanos = fresh.toNanos();
  }

  /**
   * Records a successful write.
   *
   * @param now as {@link System#nanoTime}
   * @param time the same moment, for people
   */
  void made(long now, Instant time) {
    last = new Made(now, time);
  }

  Optional<Instant> last() {
    return Optional.ofNullable(last).map(Made::time);
  }

  boolean isFresh(long now) {
    Made made = last;
    return made != null && now - made.at() < nanos;
  }
}

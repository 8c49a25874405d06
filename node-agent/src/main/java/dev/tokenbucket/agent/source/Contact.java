package dev.tokenbucket.agent.source;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * When the API server last took a word of this agent. Pure; made by one thread at a time, and read
 * by any.
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
   * A write was taken.
   *
   * @param now as {@link System#nanoTime}
   * @param time the same, for people
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

package dev.tokenbucket.agent.source;

import java.time.Duration;

/** When the API server last took a word of this agent. Pure; one thread at a time. */
public final class Contact {
  private final long nanos;
  private boolean made;
  private long at;

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
   */
  void made(long now) {
    made = true;
    at = now;
  }

  boolean isFresh(long now) {
    return made && now - at < nanos;
  }
}

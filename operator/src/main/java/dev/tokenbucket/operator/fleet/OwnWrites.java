package dev.tokenbucket.operator.fleet;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/**
 * Answers to own writes that the watch has yet to tell of. What a watch tells is taken as it comes,
 * since versions may go back, as when a cluster is restored from a backup; only what it tells of
 * from before an own write is old. One thread at a time.
 */
final class OwnWrites {
  /** A watch that has not told of a write by then is at another point of the cluster's history. */
  private static final Duration UNTIL = Duration.ofMinutes(1);

  private final Map<String, Written> writes = new HashMap<>();

  private record Written(long version, Instant at) {}

  void answered(String name, long version, Instant now) {
    writes.put(name, new Written(version, now));
  }

  /** Whether a watch tells of a version that an own write has replaced. */
  boolean isReplaced(String name, long version, Instant now) {
    Written written = writes.get(name);
    if (written == null) {
      return false;
    }
    boolean replaced =
        Long.compareUnsigned(version, written.version()) < 0
            && now.isBefore(written.at().plus(UNTIL));
    if (!replaced) {
      writes.remove(name);
    }
    return replaced;
  }

  void forget(String name) {
    writes.remove(name);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/**
 * Responses to own writes that the watch has not delivered yet. The watch's versions are accepted
 * as they come, since versions may go back, for example when a cluster is restored from a backup;
 * only a version from before an own write is stale. Not thread-safe.
 */
final class OwnWrites {
  /**
   * A watch that has not delivered a write after this time is at another point of the cluster's
   * history.
   */
  private static final Duration UNTIL = Duration.ofMinutes(1);

  private final Map<String, Written> writes = new HashMap<>();

  private record Written(long version, Instant at) {}

  void answered(String name, long version, Instant now) {
    writes.put(name, new Written(version, now));
  }

  /** Whether a version from the watch was replaced by an own write. */
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

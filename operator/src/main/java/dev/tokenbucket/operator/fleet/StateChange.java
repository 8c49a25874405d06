// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Two versions of a node state.
 *
 * @param before null if there was no node state
 * @param now null if there is no node state any more
 */
record StateChange(@Nullable StateView before, @Nullable StateView now) {
  /** The uids of the policies for which the two versions differ. */
  Set<String> policies() {
    Set<String> uids = new HashSet<>();
    Stream.of(before, now)
        .filter(Objects::nonNull)
        .forEach(
            state -> {
              state.entries().forEach(entry -> uids.add(entry.uid()));
              uids.addAll(state.answers().keySet());
            });
    if (before != null && now != null) {
      uids.removeIf(uid -> before.saysTheSameOf(uid, now));
    }
    return uids;
  }

  /**
   * Whether the change concerns the plan: a changed spec or owner, or a report on an empty node
   * state.
   */
  boolean concernsThePlan() {
    return before == null
        || now == null
        || now.entries().isEmpty()
        || now.generation() != before.generation()
        || now.ours() != before.ours()
        || now.deleting() != before.deleting()
        || !Objects.equals(now.ownerUid(), before.ownerUid());
  }
}

package dev.tokenbucket.operator.fleet;

import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Two versions of a node state.
 *
 * @param before null where there was none
 * @param now null where there is none any more
 */
record StateChange(@Nullable StateView before, @Nullable StateView now) {
  /** The uids of the policies of which the two say something different. */
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

  /** Whether its spec or its owner was changed, or the agent said something of an empty one. */
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

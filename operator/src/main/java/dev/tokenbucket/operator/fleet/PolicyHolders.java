package dev.tokenbucket.operator.fleet;

import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Nodes whose node state lists a policy in spec or status, by the policy's uid. */
final class PolicyHolders {
  private final Map<String, Set<String>> nodes = new HashMap<>();

  Set<String> of(String policyUid) {
    return Collections.unmodifiableSet(nodes.getOrDefault(policyUid, Set.of()));
  }

  boolean contains(String policyUid, String node) {
    return of(policyUid).contains(node);
  }

  /**
   * A node's state is another one, as far as a policy goes.
   *
   * @param state null where there is none any more
   */
  void update(String policyUid, String node, @Nullable StateView state) {
    if (state != null
        && (state.entry(policyUid) != null || state.answers().containsKey(policyUid))) {
      nodes.computeIfAbsent(policyUid, any -> new HashSet<>()).add(node);
      return;
    }
    nodes.computeIfPresent(
        policyUid,
        (any, names) -> {
          names.remove(node);
          return names.isEmpty() ? null : names;
        });
  }
}

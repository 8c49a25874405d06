// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The nodes whose node state lists a policy in spec or status, per policy uid. */
final class PolicyHolders {
  private final Map<String, Set<String>> nodes = new HashMap<>();

  Set<String> of(String policyUid) {
    return Collections.unmodifiableSet(nodes.getOrDefault(policyUid, Set.of()));
  }

  boolean contains(String policyUid, String node) {
    return of(policyUid).contains(node);
  }

  /**
   * Updates the node state of a node for one policy.
   *
   * @param state null if the node has no node state any more
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

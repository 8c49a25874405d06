package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.operator.plan.NodeStatePlanner;
import dev.tokenbucket.operator.plan.PolicyIntent;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which policies find no room in which node states. */
final class Room {
  private final NodeStatePlanner planner;
  private final Map<String, Set<String>> lacking = new HashMap<>();

  Room(NodeStatePlanner planner) {
    this.planner = planner;
  }

  boolean lacks(String node, String policyUid) {
    return lacking.getOrDefault(node, Set.of()).contains(policyUid);
  }

  void forget(String node) {
    lacking.remove(node);
  }

  /**
   * Judges nodes anew.
   *
   * @return those for which it came out differently
   */
  Set<String> refresh(Collection<TrackedPolicy> policies, Collection<NodeView> nodes) {
    List<PolicyIntent.Enforced> enforced =
        policies.stream()
            .map(TrackedPolicy::intent)
            .filter(PolicyIntent.Enforced.class::isInstance)
            .map(PolicyIntent.Enforced.class::cast)
            .toList();
    Set<String> changed = new HashSet<>();
    boolean ample =
        NodeStatePlanner.haveRoom(
            enforced.stream().mapToLong(policy -> planner.bytes(policy.entry())).sum());
    if (ample && lacking.isEmpty()) {
      return changed;
    }
    for (NodeView node : nodes) {
      Set<String> now =
          ample ? Set.of() : planner.planAll(node.labels(), enforced, List.of()).withoutRoom();
      Set<String> before =
          now.isEmpty() ? lacking.remove(node.name()) : lacking.put(node.name(), now);
      if (!now.equals(before == null ? Set.of() : before)) {
        changed.add(node.name());
      }
    }
    return changed;
  }
}

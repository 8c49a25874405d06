// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.NodeLimits;
import dev.tokenbucket.operator.plan.NodeStatePlanner;
import dev.tokenbucket.operator.plan.PolicyIntent;
import dev.tokenbucket.operator.plan.Refusal;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The policies that nodes have no room for, and the reasons. */
final class Refusals {
  private final NodeStatePlanner planner;
  private final Map<String, Map<String, Refusal>> byNode = new HashMap<>();

  Refusals(NodeStatePlanner planner) {
    this.planner = planner;
  }

  @Nullable Refusal find(String node, String policyUid) {
    return byNode.getOrDefault(node, Map.of()).get(policyUid);
  }

  void forget(String node) {
    byNode.remove(node);
  }

  /** Nodes with the same policies and limits are judged once. */
  private record Kind(List<String> uids, NodeLimits limits) {}

  /**
   * Judges nodes again.
   *
   * @param states node states per node name
   * @return the nodes whose result has changed
   */
  Set<String> refresh(
      Collection<TrackedPolicy> policies,
      Collection<NodeView> nodes,
      Map<String, StateView> states) {
    List<PolicyIntent.Enforced> enforced =
        policies.stream()
            .map(TrackedPolicy::intent)
            .filter(PolicyIntent.Enforced.class::isInstance)
            .map(PolicyIntent.Enforced.class::cast)
            .toList();
    NodeStatePlanner.Demand demand = planner.demand(enforced);
    Map<Kind, Map<String, Refusal>> judged = new HashMap<>();
    Set<String> changed = new HashSet<>();
    for (NodeView node : nodes) {
      StateView state = states.get(node.name());
      NodeLimits limits = state == null ? NodeLimits.DEFAULT : state.limits();
      Map<String, Refusal> now =
          demand.fits(limits) ? Map.of() : judge(node, enforced, limits, judged);
      if (!now.equals(put(node.name(), now))) {
        changed.add(node.name());
      }
    }
    return changed;
  }

  private Map<String, Refusal> judge(
      NodeView node,
      List<PolicyIntent.Enforced> enforced,
      NodeLimits limits,
      Map<Kind, Map<String, Refusal>> judged) {
    List<PolicyIntent.Enforced> concerning =
        enforced.stream().filter(policy -> policy.concerns(node.labels())).toList();
    Kind kind = new Kind(concerning.stream().map(PolicyIntent::uid).toList(), limits);
    return judged.computeIfAbsent(kind, any -> planner.refusals(concerning, limits));
  }

  private Map<String, Refusal> put(String node, Map<String, Refusal> refusals) {
    Map<String, Refusal> before =
        refusals.isEmpty() ? byNode.remove(node) : byNode.put(node, refusals);
    return before == null ? Map.of() : before;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import dev.tokenbucket.api.v1alpha1.NodeLimits;
import dev.tokenbucket.operator.failsafe.FailsafeDiscovery;
import dev.tokenbucket.operator.plan.NodePlan;
import dev.tokenbucket.operator.plan.NodeStatePlanner;
import dev.tokenbucket.operator.plan.PolicyIntent;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a node's state is planned from, read at one moment.
 *
 * @param intents of all policies, whether or not they concern the node
 * @param admitted the uids of the policies whose gate the node has passed
 */
record DraftRequest(
    NodeView node,
    @Nullable StateView state,
    @Nullable NodeFailsafe failsafe,
    List<PolicyIntent> intents,
    Set<String> admitted) {

  /** Empty if the node is unknown. */
  static Optional<DraftRequest> of(
      @Nullable NodeView node,
      @Nullable StateView state,
      Collection<TrackedPolicy> policies,
      FailsafeDiscovery failsafes) {
    if (node == null) {
      return Optional.empty();
    }
    List<PolicyIntent> intents = new ArrayList<>();
    Set<String> admitted = new HashSet<>();
    for (TrackedPolicy policy : policies) {
      intents.add(policy.intent());
      if (policy.gate() != null && policy.gate().admits(node.name())) {
        admitted.add(policy.uid());
      }
    }
    return Optional.of(new DraftRequest(node, state, failsafe(node, failsafes), intents, admitted));
  }

  private static @Nullable NodeFailsafe failsafe(NodeView node, FailsafeDiscovery failsafes) {
    NodeFailsafe common = failsafes.common();
    return common == null || node.kubeletPort() == null
        ? common
        : common.withKubeletPort(node.kubeletPort());
  }

  NodeStateDraft draft(NodeStatePlanner planner) {
    NodePlan plan =
        planner.plan(
            node.labels(),
            intents,
            state == null ? List.of() : state.formerEntries(intents),
            state == null ? NodeLimits.DEFAULT : state.limits(),
            admitted::contains);
    return new NodeStateDraft(node, state, plan, failsafe);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.FailedNode;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.operator.plan.PolicyIntent;
import dev.tokenbucket.operator.plan.Refusal;
import dev.tokenbucket.operator.rollout.NodeStage;
import dev.tokenbucket.operator.rollout.RolloutGate;
import dev.tokenbucket.operator.rollout.RolloutLimits;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Creates a policy's report from the counts that its gate keeps. */
final class Reporter {
  private static final int MAX_NAMED = 10;

  private final Map<String, NodeView> nodes;
  private final Map<String, StateView> states;
  private final Collection<TrackedPolicy> policies;
  private final Refusals refusals;

  Reporter(
      Map<String, NodeView> nodes,
      Map<String, StateView> states,
      Collection<TrackedPolicy> policies,
      Refusals refusals) {
    this.nodes = nodes;
    this.states = states;
    this.policies = policies;
    this.refusals = refusals;
  }

  PolicyReport report(TrackedPolicy policy, Set<String> holders) {
    RolloutGate gate =
        policy.gate() == null ? new RolloutGate(RolloutLimits.DEFAULT) : policy.gate();
    return new PolicyReport(
        policy.intent(),
        policy.generation(),
        counts(gate, policy, holders),
        failedNodes(gate.failed(), gate, policy),
        gate.completed() ? failedNodes(gate.named(NodeStage.LOST), gate, policy) : List.of(),
        gate.named(NodeStage.NO_AGENT).stream().limit(MAX_NAMED).toList(),
        refusedNodes(gate, policy),
        gate.halted(),
        gate.completed(),
        gate.limits(),
        List.of());
  }

  private PolicyReport.Counts counts(RolloutGate gate, TrackedPolicy policy, Set<String> holders) {
    return new PolicyReport.Counts(
        gate.desired(),
        gate.count(NodeStage.DONE) + gate.count(NodeStage.SETTLING),
        gate.count(NodeStage.SETTLING),
        gate.failures(),
        gate.count(NodeStage.REFUSED),
        gate.completed() ? gate.count(NodeStage.LOST) : 0,
        gate.count(NodeStage.NO_AGENT),
        gate.count(NodeStage.WAITING) + gate.count(NodeStage.UNSETTLED),
        gate.moving(),
        gate.count(NodeStage.AWAY),
        (int) holders.stream().filter(node -> gate.stage(node) == null).count(),
        (int) holders.stream().filter(node -> answer(node, policy) != null).count());
  }

  private @Nullable NodePolicyStatus answer(String node, TrackedPolicy policy) {
    StateView state = states.get(node);
    return state == null ? null : state.answers().get(policy.uid());
  }

  private List<FailedNode> failedNodes(Set<String> names, RolloutGate gate, TrackedPolicy policy) {
    return names.stream()
        .limit(MAX_NAMED)
        .map(
            name ->
                switch (Objects.requireNonNull(gate.stage(name))) {
                  case LOST -> lost(name, policy);
                  case OVERDUE -> overdue(name, gate, policy);
                  default -> failed(name, policy);
                })
        .toList();
  }

  private List<FailedNode> refusedNodes(RolloutGate gate, TrackedPolicy policy) {
    return gate.named(NodeStage.REFUSED).stream()
        .limit(MAX_NAMED)
        .map(
            name -> {
              Refusal refusal = Objects.requireNonNull(refusals.find(name, policy.uid()));
              return new FailedNode(name, refusal.reason(), refusal.message());
            })
        .toList();
  }

  private FailedNode failed(String node, TrackedPolicy policy) {
    NodePolicyStatus answer = answer(node, policy);
    String reason = answer == null ? null : answer.reason();
    String message = answer == null ? null : answer.message();
    return new FailedNode(
        node, reason == null ? Reasons.PROGRAMMING_FAILED : reason, message == null ? "" : message);
  }

  private FailedNode overdue(String node, RolloutGate gate, TrackedPolicy policy) {
    NodePolicyStatus answer = answer(node, policy);
    String message = answer == null ? null : answer.message();
    return new FailedNode(
        node,
        Reasons.PROGRESS_DEADLINE_EXCEEDED,
        "generation "
            + policy.generation()
            + " was not confirmed within rollout.progressDeadlineSeconds, "
            + gate.limits().progressDeadline().toSeconds()
            + (message == null ? "" : ": " + message));
  }

  private FailedNode lost(String name, TrackedPolicy policy) {
    NodeView node = nodes.get(name);
    StateView state = states.get(name);
    if (node != null && !node.ready()) {
      return new FailedNode(
          name,
          Reasons.NODE_NOT_READY,
          "the node is not Ready, and has not confirmed generation " + policy.generation());
    }
    if (node != null && state != null && AgentContacts.isOfEarlierBoot(node, state)) {
      return new FailedNode(
          name, Reasons.NODE_REBOOTED, "its agent has not reported since the node rebooted");
    }
    return new FailedNode(
        name,
        Reasons.AGENT_SILENT,
        "its agent has not reported since " + (state == null ? null : state.contact()));
  }

  /** Other policies that concern a node that this policy concerns. */
  List<NodePolicy> beside(TrackedPolicy policy) {
    RolloutGate gate = policy.gate();
    if (gate == null) {
      return List.of();
    }
    return policies.stream()
        .filter(other -> !other.uid().equals(policy.uid()))
        .filter(other -> shareNodes(other.gate(), gate))
        .map(TrackedPolicy::intent)
        .filter(PolicyIntent.Enforced.class::isInstance)
        .map(other -> ((PolicyIntent.Enforced) other).entry())
        .toList();
  }

  private static boolean shareNodes(@Nullable RolloutGate a, RolloutGate b) {
    return a != null && !Collections.disjoint(a.nodes(), b.nodes());
  }
}

package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.FailedNode;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.operator.fleet.PolicyReport.Neighbour;
import dev.tokenbucket.operator.plan.EntryFacts;
import dev.tokenbucket.operator.plan.PolicyIntent;
import dev.tokenbucket.operator.rollout.NodeStage;
import dev.tokenbucket.operator.rollout.RolloutGate;
import dev.tokenbucket.operator.rollout.RolloutLimits;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Draws a policy's report from the counts that its gate keeps. */
final class Reporter {
  private static final int MAX_NAMED = 10;

  private final Map<String, StateView> states;
  private final Collection<TrackedPolicy> policies;
  private final EntryFacts facts;

  Reporter(Map<String, StateView> states, Collection<TrackedPolicy> policies, EntryFacts facts) {
    this.states = states;
    this.policies = policies;
    this.facts = facts;
  }

  PolicyReport report(TrackedPolicy policy, Set<String> holders) {
    RolloutGate gate =
        policy.gate() == null ? new RolloutGate(RolloutLimits.DEFAULT) : policy.gate();
    int holding = (int) holders.stream().filter(node -> answer(node, policy) != null).count();
    return new PolicyReport(
        policy.intent(),
        policy.generation(),
        gate.desired(),
        gate.count(NodeStage.DONE),
        gate.count(NodeStage.FAILED),
        gate.failed().stream().limit(MAX_NAMED).map(node -> failedNode(node, policy)).toList(),
        gate.count(NodeStage.WAITING) + gate.count(NodeStage.UNSETTLED),
        gate.count(NodeStage.AWAY),
        (int) holders.stream().filter(node -> gate.stage(node) == null).count(),
        holding,
        List.copyOf(gate.withoutRoom()),
        gate.halted(),
        gate.limits().paused(),
        gate.limits().maxFailures(),
        policy.intent() instanceof PolicyIntent.Enforced enforced
            ? neighbours(enforced.entry(), gate)
            : List.of());
  }

  private @Nullable NodePolicyStatus answer(String node, TrackedPolicy policy) {
    StateView state = states.get(node);
    return state == null ? null : state.answers().get(policy.uid());
  }

  private FailedNode failedNode(String node, TrackedPolicy policy) {
    NodePolicyStatus answer = answer(node, policy);
    String reason = answer == null ? null : answer.reason();
    String message = answer == null ? null : answer.message();
    return new FailedNode(
        node, reason == null ? Reasons.PROGRAMMING_FAILED : reason, message == null ? "" : message);
  }

  private List<Neighbour> neighbours(NodePolicy entry, RolloutGate gate) {
    return policies.stream()
        .filter(other -> !other.uid().equals(entry.uid()))
        .filter(other -> other.intent() instanceof PolicyIntent.Enforced)
        .filter(other -> shareNodes(other.gate(), gate))
        .map(other -> ((PolicyIntent.Enforced) other.intent()).entry())
        .filter(other -> facts.overlap(entry, other))
        .sorted(NodePolicy.ORDER)
        .map(
            other ->
                new Neighbour(
                    other.name(), other.priority(), NodePolicy.ORDER.compare(other, entry) < 0))
        .toList();
  }

  private static boolean shareNodes(@Nullable RolloutGate a, RolloutGate b) {
    return a != null && !Collections.disjoint(a.nodes(), b.nodes());
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.FailedNode;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.operator.plan.EntryFacts;
import dev.tokenbucket.operator.plan.PolicyIntent;
import dev.tokenbucket.operator.rollout.RolloutLimits;
import java.util.List;

/**
 * The progress of a policy's current generation, from what agents read back.
 *
 * @param counts numbers of nodes
 * @param failedNodes at most 10 nodes that failed, by name
 * @param unknownNodes at most 10 nodes whose current state is unknown, by name
 * @param withoutAgent at most 10 nodes on which no agent answers, by name
 * @param refusedNodes at most 10 nodes that have no room for the policy, by name
 * @param completed whether the policy's rollout has completed once
 * @param overlaps other policies that may judge the same packets on the same node, in the order in
 *     which they apply
 */
public record PolicyReport(
    PolicyIntent intent,
    long generation,
    Counts counts,
    List<FailedNode> failedNodes,
    List<FailedNode> unknownNodes,
    List<String> withoutAgent,
    List<FailedNode> refusedNodes,
    boolean halted,
    boolean completed,
    RolloutLimits limits,
    List<Neighbour> overlaps) {

  /**
   * The number of nodes in each state.
   *
   * @param desired nodes that the policy concerns
   * @param programmed nodes whose kernel runs this generation
   * @param settling nodes whose kernel runs this generation, but not for long enough to let the
   *     next node on
   * @param failed nodes that could not program the policy, or were lost while it was rolled out
   * @param refused nodes that have no room for the policy
   * @param lost nodes that went away after they had the policy, if that is no failure of its
   *     rollout
   * @param noAgent nodes on which no agent answers
   * @param held nodes that keep an earlier generation, or none, until the gate admits them
   * @param moving nodes in progress, including the held ones
   * @param away nodes that can't be reached and have not been given the policy
   * @param leaving nodes that the policy no longer concerns and that have not dropped it yet
   * @param holding nodes whose agents have any generation of the policy
   */
  public record Counts(
      int desired,
      int programmed,
      int settling,
      int failed,
      int refused,
      int lost,
      int noAgent,
      int held,
      int moving,
      int away,
      int leaving,
      int holding) {

    /** Nodes that have yet to follow, and will without intervention. */
    public int pending() {
      return desired - programmed - failed - refused - lost - noAgent;
    }

    /** Nodes whose current state is unknown. */
    public int unknown() {
      return lost + noAgent;
    }
  }

  /** This report with those of the other policies that may judge the same packets. */
  PolicyReport beside(List<NodePolicy> others, EntryFacts facts) {
    if (!(intent instanceof PolicyIntent.Enforced enforced)) {
      return this;
    }
    NodePolicy entry = enforced.entry();
    return new PolicyReport(
        intent,
        generation,
        counts,
        failedNodes,
        unknownNodes,
        withoutAgent,
        refusedNodes,
        halted,
        completed,
        limits,
        others.stream()
            .filter(other -> facts.overlap(entry, other))
            .sorted(NodePolicy.ORDER)
            .map(other -> Neighbour.of(other, entry))
            .toList());
  }

  /**
   * Another policy on the same traffic.
   *
   * @param first whether it judges before this one
   */
  public record Neighbour(String name, int priority, boolean first) {
    private static Neighbour of(NodePolicy other, NodePolicy entry) {
      return new Neighbour(
          other.name(), other.priority(), NodePolicy.ORDER.compare(other, entry) < 0);
    }
  }
}

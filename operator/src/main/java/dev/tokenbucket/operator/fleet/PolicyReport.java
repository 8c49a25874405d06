package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.FailedNode;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.operator.plan.EntryFacts;
import dev.tokenbucket.operator.plan.PolicyIntent;
import dev.tokenbucket.operator.rollout.RolloutLimits;
import java.util.List;

/**
 * How far a policy's current generation is, from what agents read back.
 *
 * @param counts of the nodes
 * @param failedNodes at most 10 of those that failed, by name
 * @param unknownNodes at most 10 of those of which nothing current is known, by name
 * @param withoutAgent at most 10 nodes on which no agent answers, by name
 * @param refusedNodes at most 10 nodes that have no room for it, by name
 * @param completed whether its rollout has come to its end once
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
   * How many nodes are how far.
   *
   * @param desired that the policy concerns
   * @param programmed whose kernel runs this generation
   * @param settling whose kernel runs it too, but not for long enough to let the next one on
   * @param failed that could not program it, or were lost while it was rolled out
   * @param refused that have no room for it
   * @param lost that went away since they had it, where that is no failure of its rollout
   * @param noAgent on which no agent answers
   * @param held that keep an earlier generation, or none, until the gate lets them on
   * @param moving that are on their way, the held ones among them
   * @param away that can't be reached, and have yet to be given it
   * @param leaving that are no longer concerned and have yet to drop it
   * @param holding whose agents have some generation of it
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

    /** Nodes that are yet to come, sooner or later by themselves. */
    public int pending() {
      return desired - programmed - failed - refused - lost - noAgent;
    }

    /** Nodes of which nothing current is known. */
    public int unknown() {
      return lost + noAgent;
    }
  }

  /** The same with those of other policies that may judge the same packets. */
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

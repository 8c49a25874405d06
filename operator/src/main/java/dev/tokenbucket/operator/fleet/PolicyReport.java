package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.FailedNode;
import dev.tokenbucket.operator.plan.PolicyIntent;
import java.util.List;

/**
 * How far a policy's current generation is, from what agents read back.
 *
 * @param desired nodes that the policy concerns
 * @param programmed those whose kernel runs this generation
 * @param failed those that could not program it
 * @param failedNodes at most 10 of them, by name
 * @param held nodes that keep an earlier generation, or none, until the gate lets them on
 * @param away nodes that are not Ready and have yet to confirm
 * @param leaving nodes no longer concerned that have yet to drop it
 * @param holding nodes whose agents have some generation of it
 * @param withoutRoom nodes whose node state has no room for it, by name
 * @param overlaps other policies that may judge the same packets on the same node, in the order in
 *     which they apply
 */
public record PolicyReport(
    PolicyIntent intent,
    long generation,
    int desired,
    int programmed,
    int failed,
    List<FailedNode> failedNodes,
    int held,
    int away,
    int leaving,
    int holding,
    List<String> withoutRoom,
    boolean halted,
    boolean paused,
    int maxFailures,
    List<Neighbour> overlaps) {

  /**
   * Another policy on the same traffic.
   *
   * @param first whether it judges before this one
   */
  public record Neighbour(String name, int priority, boolean first) {}
}

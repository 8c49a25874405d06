// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.rollout;

import dev.tokenbucket.api.v1alpha1.AddressSets;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.Reasons;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The state of one policy on a node, from the node and its node state.
 *
 * @param ready whether the node can be reached
 * @param given the entry in the node state's spec; absent if there is none
 * @param answer the entry in the node state's status; absent if the agent reported nothing
 * @param speaksOfGiven whether the agent had seen the current version of the entry when it answered
 * @param givenFor how long the node state has had the current entry, if that is not confirmed
 * @param inForceSince since when the kernel runs the generation that the agent reports; absent if
 *     that is long ago
 * @param readySince since when the node is Ready, if it says so
 */
public record NodeProgress(
    boolean ready,
    AgentContact agent,
    @Nullable NodePolicy given,
    @Nullable NodePolicyStatus answer,
    boolean speaksOfGiven,
    Duration givenFor,
    @Nullable Instant inForceSince,
    @Nullable Instant readySince) {

  /**
   * The node's stage for a policy.
   *
   * @param wanted the policy's current generation, as a node should run it
   * @param agentStart how long an agent that has never reported may take to do so
   */
  public NodeStage stage(
      NodePolicy wanted, RolloutLimits limits, Duration agentStart, Instant now) {
    if (given == null || !given.equals(wanted)) {
      return stageBefore(wanted, agentStart);
    }
    if (failed(given)) {
      return NodeStage.FAILED;
    }
    if (!ready || agent == AgentContact.SILENT || agent == AgentContact.REBOOTED) {
      return NodeStage.LOST;
    }
    if (confirmed(given)) {
      return isSettled(limits.minReady(), now) ? NodeStage.DONE : NodeStage.SETTLING;
    }
    if (agent == AgentContact.NEVER) {
      return isAtLeast(givenFor, agentStart) ? NodeStage.NO_AGENT : NodeStage.CHANGING;
    }
    return isAtLeast(givenFor, limits.progressDeadline()) ? NodeStage.OVERDUE : NodeStage.CHANGING;
  }

  private NodeStage stageBefore(NodePolicy wanted, Duration agentStart) {
    if (!ready) {
      return NodeStage.AWAY;
    }
    if (agent == AgentContact.SILENT
        || (agent == AgentContact.NEVER && isAtLeast(givenFor, agentStart))) {
      return NodeStage.NO_AGENT;
    }
    if (agent == AgentContact.REBOOTED) {
      return NodeStage.AWAY;
    }
    if (given != null && given.asksForTheSameAs(wanted)) {
      return NodeStage.UNCHANGED;
    }
    return given == null || confirmed(given) || failed(given)
        ? NodeStage.WAITING
        : NodeStage.UNSETTLED;
  }

  private boolean isSettled(Duration minReady, Instant now) {
    return isPast(inForceSince, minReady, now) && isPast(readySince, minReady, now);
  }

  private static boolean isPast(@Nullable Instant since, Duration pause, Instant now) {
    return pause.isZero() || since == null || !since.plus(pause).isAfter(now);
  }

  private static boolean isAtLeast(Duration some, Duration least) {
    return some.compareTo(least) >= 0;
  }

  private boolean confirmed(NodePolicy entry) {
    return speaksOfGiven
        && answer != null
        && answer.programmed()
        && answer.generation() == entry.generation();
  }

  /**
   * A failure counts for the entry that the agent tried, not for one that the agent has not seen
   * yet: another generation or, of an entry that names address sets, other contents. An unknown
   * reason, from a later agent, also counts as a failure: the node waits for nothing.
   */
  private boolean failed(NodePolicy entry) {
    return answer != null
        && !answer.programmed()
        && Objects.equals(answer.observedGeneration(), entry.generation())
        && answer.reason() != null
        && !Reasons.PENDING.equals(answer.reason())
        && (speaksOfGiven || AddressSets.refs(entry).isEmpty());
  }
}

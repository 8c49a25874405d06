package dev.tokenbucket.operator.rollout;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.Reasons;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a node state says of one policy on one node.
 *
 * @param given the entry of the node state's spec; absent where the node has none
 * @param answer the entry of its status; absent where the agent said nothing
 */
public record NodeProgress(
    boolean ready, @Nullable NodePolicy given, @Nullable NodePolicyStatus answer) {

  /**
   * How far the node is with a policy.
   *
   * @param wanted the policy's current generation, as a node is to run it
   */
  public NodeStage stage(NodePolicy wanted) {
    if (given == null || given.generation() != wanted.generation()) {
      return stageBefore(wanted);
    }
    if (confirmed(given)) {
      return NodeStage.DONE;
    }
    if (failed(given)) {
      return NodeStage.FAILED;
    }
    return ready ? NodeStage.CHANGING : NodeStage.AWAY;
  }

  private NodeStage stageBefore(NodePolicy wanted) {
    if (given != null && given.asksForTheSameAs(wanted)) {
      return NodeStage.UNCHANGED;
    }
    if (!ready) {
      return NodeStage.AWAY;
    }
    return given == null || confirmed(given) || failed(given)
        ? NodeStage.WAITING
        : NodeStage.UNSETTLED;
  }

  private boolean confirmed(NodePolicy entry) {
    return answer != null && answer.programmed() && answer.generation() == entry.generation();
  }

  /**
   * A failure counts for the generation that the agent tried, not for one it has yet to see. A
   * reason of a later agent that is not known here is one, too: the node waits for nothing.
   */
  private boolean failed(NodePolicy entry) {
    return answer != null
        && !answer.programmed()
        && Objects.equals(answer.observedGeneration(), entry.generation())
        && answer.reason() != null
        && !Reasons.PENDING.equals(answer.reason());
  }
}

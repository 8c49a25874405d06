// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.status;

import dev.tokenbucket.api.Texts;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.operator.fleet.Holder;
import dev.tokenbucket.operator.fleet.NodeView;
import dev.tokenbucket.operator.rollout.AgentContact;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Whether a policy that is being deleted may be released.
 *
 * @param awaited nodes that the deletion waits for
 * @param abandoned nodes that the deletion no longer waits for, each with the reason
 * @param again when to judge again if nothing happens until then
 */
public record DeletionVerdict(List<String> awaited, List<String> abandoned, Duration again) {
  private static final Duration AT_MOST = Duration.ofMinutes(1);
  private static final Duration AT_LEAST = Duration.ofSeconds(1);
  private static final int MAX_NAMED = 10;

  /**
   * How long a deletion waits for nodes.
   *
   * @param unreachable for a node that is not Ready, or on which no agent answers
   * @param atMost for any other node, since the deletion
   */
  public record Limits(Duration unreachable, Duration atMost) {}

  /** How much longer the deletion waits for a node, and the reason reported after that. */
  private record Wait(Duration left, String why) {
    boolean isOver() {
      return left.isNegative() || left.isZero();
    }
  }

  /**
   * Judges a deletion.
   *
   * @param holders the nodes whose node state lists the policy
   * @param deletedAt the time since when a node counts as away if the node gives none
   */
  public static DeletionVerdict of(
      Map<String, Holder> holders, Instant deletedAt, Instant now, Limits limits) {
    List<String> awaited = new ArrayList<>();
    List<String> abandoned = new ArrayList<>();
    Duration again = AT_MOST;
    for (Map.Entry<String, Holder> holder : holders.entrySet()) {
      Wait wait = wait(holder.getValue(), deletedAt, now, limits);
      if (wait.isOver()) {
        abandoned.add(holder.getKey() + " (" + wait.why() + ")");
        continue;
      }
      awaited.add(holder.getKey());
      if (wait.left().compareTo(again) < 0) {
        again = wait.left().compareTo(AT_LEAST) < 0 ? AT_LEAST : wait.left();
      }
    }
    return new DeletionVerdict(List.copyOf(awaited), List.copyOf(abandoned), again);
  }

  private static Wait wait(Holder holder, Instant deletedAt, Instant now, Limits limits) {
    NodeView node = holder.node().orElse(null);
    if (node == null) {
      return new Wait(Duration.ZERO, "gone");
    }
    if (!node.ready()) {
      Duration away =
          Duration.between(Objects.requireNonNullElse(node.notReadySince(), deletedAt), now);
      return new Wait(limits.unreachable().minus(away), "not Ready for " + away.toSeconds() + " s");
    }
    Duration since = Duration.between(deletedAt, now);
    return holder.agent() == AgentContact.NEVER || holder.agent() == AgentContact.SILENT
        ? new Wait(limits.unreachable().minus(since), "no agent answers")
        : new Wait(
            limits.atMost().minus(since),
            "its agent has not confirmed for " + since.toSeconds() + " s");
  }

  /** The Event to write if nodes are abandoned. */
  public Optional<PolicyEvent> event(long generation) {
    if (abandoned.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new PolicyEvent(
            true,
            Reasons.NODES_NOT_AWAITED,
            "deleted without confirmation from "
                + Texts.first(MAX_NAMED, abandoned)
                + "; these nodes enforce the policy until their agents are back",
            generation));
  }
}

package dev.tokenbucket.operator.status;

import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.operator.fleet.NodeView;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Whether a policy that is being deleted may go.
 *
 * @param awaited nodes that are waited for: they can be reached, or could until a while ago
 * @param abandoned nodes that are not waited for any more, each with why
 * @param again when to judge anew, where nothing happens until then
 */
public record DeletionVerdict(List<String> awaited, List<String> abandoned, Duration again) {
  private static final Duration AT_MOST = Duration.ofMinutes(1);
  private static final Duration AT_LEAST = Duration.ofSeconds(1);
  private static final int MAX_NAMED = 10;

  /**
   * Judges.
   *
   * @param holders the nodes whose node state lists the policy; absent where there is no such Node
   * @param deletedAt since when a node is away that does not say itself
   * @param timeout how long a node must not have been Ready to be abandoned
   */
  public static DeletionVerdict of(
      Map<String, Optional<NodeView>> holders, Instant deletedAt, Instant now, Duration timeout) {
    List<String> awaited = new ArrayList<>();
    List<String> abandoned = new ArrayList<>();
    Duration again = AT_MOST;
    for (Map.Entry<String, Optional<NodeView>> holder : holders.entrySet()) {
      NodeView node = holder.getValue().orElse(null);
      if (node == null) {
        abandoned.add(holder.getKey() + " (gone)");
        continue;
      }
      Duration away =
          Duration.between(Objects.requireNonNullElse(node.notReadySince(), deletedAt), now);
      if (!node.ready() && away.compareTo(timeout) >= 0) {
        abandoned.add(holder.getKey() + " (not Ready for " + away.toSeconds() + " s)");
        continue;
      }
      awaited.add(holder.getKey());
      Duration left = timeout.minus(away);
      if (!node.ready() && left.compareTo(again) < 0) {
        again = left.compareTo(AT_LEAST) < 0 ? AT_LEAST : left;
      }
    }
    return new DeletionVerdict(List.copyOf(awaited), List.copyOf(abandoned), again);
  }

  /** What is to be said where nodes are abandoned. */
  public Optional<PolicyEvent> event(long generation) {
    if (abandoned.isEmpty()) {
      return Optional.empty();
    }
    int more = Math.max(0, abandoned.size() - MAX_NAMED);
    return Optional.of(
        new PolicyEvent(
            true,
            Reasons.NODES_NOT_AWAITED,
            "deleted without word from nodes that can't be reached: "
                + String.join(", ", abandoned.subList(0, abandoned.size() - more))
                + (more > 0 ? " and " + more + " more" : "")
                + "; such a node enforces it until its agent is back",
            generation));
  }
}

package dev.tokenbucket.operator.plan;

import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateSpec;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What one node is to run.
 *
 * @param entries in the order in which they apply
 * @param overlaps pairs of policies that may judge the same packet, first the one that judges first
 * @param withoutRoom uids of policies whose entry the node state has no room for
 */
public record NodePlan(List<NodePolicy> entries, List<String> overlaps, Set<String> withoutRoom) {
  /** As it is written, with what is exempt on the node. */
  public TokenBucketNodeStateSpec spec(@Nullable NodeFailsafe failsafe) {
    return new TokenBucketNodeStateSpec(entries, overlaps.isEmpty() ? null : overlaps, failsafe);
  }
}

package dev.tokenbucket.operator.plan;

import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateSpec;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one node is to run.
 *
 * @param entries in the order in which they apply
 * @param overlaps pairs of policies that may judge the same packet, first the one that judges first
 * @param refusals by uid, why the node has no room for a policy
 */
public record NodePlan(
    List<NodePolicy> entries, List<String> overlaps, Map<String, Refusal> refusals) {
  /** As it is written, with what is exempt on the node. */
  public TokenBucketNodeStateSpec spec(@Nullable NodeFailsafe failsafe) {
    return new TokenBucketNodeStateSpec(entries, overlaps.isEmpty() ? null : overlaps, failsafe);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.plan;

import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateSpec;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The policies that one node should run.
 *
 * @param entries in the order in which they apply
 * @param overlaps pairs of policies that may judge the same packet; the policy that judges first
 *     comes first
 * @param refusals per uid, the reason why the node has no room for a policy
 */
public record NodePlan(
    List<NodePolicy> entries, List<String> overlaps, Map<String, Refusal> refusals) {
  /** The spec to write, with the node's failsafes. */
  public TokenBucketNodeStateSpec spec(@Nullable NodeFailsafe failsafe) {
    return new TokenBucketNodeStateSpec(entries, overlaps.isEmpty() ? null : overlaps, failsafe);
  }
}

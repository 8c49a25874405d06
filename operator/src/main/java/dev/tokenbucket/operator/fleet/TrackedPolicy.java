package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.operator.plan.PolicyIntent;
import dev.tokenbucket.operator.rollout.RolloutGate;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A policy's current generation and how far its rollout is.
 *
 * @param gate of a policy that is to be enforced; null for any other
 */
record TrackedPolicy(
    String name,
    String uid,
    long generation,
    boolean deleting,
    PolicyIntent intent,
    @Nullable RolloutGate gate) {

  static TrackedPolicy of(TokenBucketPolicy policy) {
    PolicyIntent intent = PolicyIntent.of(policy);
    return new TrackedPolicy(
        policy.getMetadata().getName(),
        policy.getMetadata().getUid(),
        Objects.requireNonNullElse(policy.getMetadata().getGeneration(), 0L),
        policy.getMetadata().getDeletionTimestamp() != null,
        intent,
        intent instanceof PolicyIntent.Enforced enforced
            ? new RolloutGate(enforced.rollout())
            : null);
  }

  /** Whether a policy as found in the API asks for nothing that is not known. */
  boolean covers(TokenBucketPolicy policy) {
    long other = Objects.requireNonNullElse(policy.getMetadata().getGeneration(), 0L);
    boolean otherDeleting = policy.getMetadata().getDeletionTimestamp() != null;
    return other < generation || (other == generation && (deleting || !otherDeleting));
  }

  boolean concerns(NodeView node) {
    return intent instanceof PolicyIntent.Enforced enforced && enforced.concerns(node.labels());
  }
}

package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicyStatus;
import dev.tokenbucket.operator.plan.PolicyIntent;
import dev.tokenbucket.operator.rollout.RolloutGate;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A policy's current generation and the progress of its rollout.
 *
 * @param gate the gate of a policy that is enforced; null for any other
 */
record TrackedPolicy(
    String name,
    String uid,
    long generation,
    boolean deleting,
    PolicyIntent intent,
    @Nullable RolloutGate gate) {

  /**
   * Reads a policy.
   *
   * @param pool shares equal entries among nodes, so that comparing a node's entry costs almost
   *     nothing
   */
  static TrackedPolicy of(TokenBucketPolicy policy, EntryPool pool, Instant now) {
    PolicyIntent intent = pooled(PolicyIntent.of(policy), pool).at(now);
    RolloutGate gate =
        intent instanceof PolicyIntent.Enforced enforced
            ? new RolloutGate(enforced.rollout())
            : null;
    TokenBucketPolicyStatus status = policy.getStatus();
    if (gate != null
        && status != null
        && Objects.equals(status.completedGeneration(), policy.getMetadata().getGeneration())) {
      gate.complete();
    }
    return new TrackedPolicy(
        policy.getMetadata().getName(),
        policy.getMetadata().getUid(),
        Objects.requireNonNullElse(policy.getMetadata().getGeneration(), 0L),
        policy.getMetadata().getDeletionTimestamp() != null,
        intent,
        gate);
  }

  private static PolicyIntent pooled(PolicyIntent intent, EntryPool pool) {
    return intent instanceof PolicyIntent.Enforced enforced
        ? new PolicyIntent.Enforced(
            pool.intern(enforced.entry()),
            enforced.selector(),
            enforced.rollout(),
            enforced.expiresAt())
        : intent;
  }

  /** This policy if time does not affect it; otherwise the policy without a rollout, as expired. */
  TrackedPolicy at(Instant now) {
    PolicyIntent then = intent.at(now);
    return then.equals(intent)
        ? this
        : new TrackedPolicy(name, uid, generation, deleting, then, null);
  }

  /** Whether a policy as found in the API has the same content as this one. */
  boolean asksForTheSameAs(TokenBucketPolicy policy) {
    return Objects.requireNonNullElse(policy.getMetadata().getGeneration(), 0L) == generation
        && (policy.getMetadata().getDeletionTimestamp() != null) == deleting;
  }

  boolean concerns(NodeView node) {
    return intent instanceof PolicyIntent.Enforced enforced && enforced.concerns(node.labels());
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.AddressSets;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicyStatus;
import dev.tokenbucket.operator.plan.KnownAddressSets;
import dev.tokenbucket.operator.plan.PolicyIntent;
import dev.tokenbucket.operator.rollout.RolloutGate;
import java.time.Instant;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A policy's current generation and the progress of its rollout.
 *
 * @param asked what the policy says by itself, without time and address sets
 * @param intent what the policy says now
 * @param gate the gate of a policy that is enforced; null for any other
 * @param rolledOut the entry of the last rollout that this operator saw complete before the current
 *     intent, if any
 */
record TrackedPolicy(
    String name,
    String uid,
    long generation,
    boolean deleting,
    PolicyIntent asked,
    PolicyIntent intent,
    @Nullable RolloutGate gate,
    @Nullable NodePolicy rolledOut) {

  /**
   * Reads a policy.
   *
   * @param pool shares equal entries among nodes, so that comparing a node's entry costs almost
   *     nothing
   */
  static TrackedPolicy of(
      TokenBucketPolicy policy, KnownAddressSets sets, EntryPool pool, Instant now) {
    PolicyIntent asked = PolicyIntent.of(policy);
    PolicyIntent intent = pooled(asked.at(now).with(sets), pool);
    RolloutGate gate = gateOf(intent);
    TokenBucketPolicyStatus status = policy.getStatus();
    if (gate != null
        && status != null
        && intent instanceof PolicyIntent.Enforced enforced
        && Objects.equals(status.completedGeneration(), policy.getMetadata().getGeneration())
        && Objects.equals(status.completedAddressSets(), AddressSets.digest(enforced.entry()))) {
      gate.complete();
    }
    return new TrackedPolicy(
        policy.getMetadata().getName(),
        policy.getMetadata().getUid(),
        Objects.requireNonNullElse(policy.getMetadata().getGeneration(), 0L),
        policy.getMetadata().getDeletionTimestamp() != null,
        asked,
        intent,
        gate,
        null);
  }

  private static @Nullable RolloutGate gateOf(PolicyIntent intent) {
    return intent instanceof PolicyIntent.Enforced enforced
        ? new RolloutGate(enforced.rollout())
        : null;
  }

  private static PolicyIntent pooled(PolicyIntent intent, EntryPool pool) {
    return intent instanceof PolicyIntent.Enforced enforced
        ? enforced.running(pool.intern(enforced.entry()))
        : intent;
  }

  /** This policy if time does not affect it; otherwise the policy without a rollout, as expired. */
  TrackedPolicy at(Instant now) {
    return asked.at(now) instanceof PolicyIntent.Expired then && !then.equals(intent)
        ? new TrackedPolicy(name, uid, generation, deleting, asked, then, null, null)
        : this;
  }

  /**
   * This policy if the address sets do not affect it; otherwise the policy with a new rollout, of
   * what it says with these sets.
   */
  TrackedPolicy with(KnownAddressSets sets, EntryPool pool, Instant now) {
    PolicyIntent next = pooled(asked.at(now).with(sets), pool);
    if (next.equals(intent)) {
      return this;
    }
    NodePolicy complete =
        gate != null && gate.completed() && intent instanceof PolicyIntent.Enforced before
            ? before.entry()
            : rolledOut;
    RolloutGate nextGate = gateOf(next);
    if (nextGate != null
        && next instanceof PolicyIntent.Enforced again
        && again.entry().equals(complete)) {
      nextGate.complete();
    }
    return new TrackedPolicy(name, uid, generation, deleting, asked, next, nextGate, complete);
  }

  /** The names of the address sets that the policy's terms name. */
  Set<String> addressSets() {
    return asked instanceof PolicyIntent.Enforced enforced
        ? AddressSets.names(enforced.entry())
        : Set.of();
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

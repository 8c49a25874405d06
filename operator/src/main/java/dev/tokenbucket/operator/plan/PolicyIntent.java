package dev.tokenbucket.operator.plan;

import dev.tokenbucket.api.v1alpha1.Expiry;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.PolicyResolver;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.operator.rollout.RolloutLimits;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A policy as planning sees it: its request for the nodes it selects, or the reason why it can't be
 * judged.
 */
public sealed interface PolicyIntent {
  /** The policy's unique id, which names its entries in node states. */
  String uid();

  /**
   * A policy to enforce on the nodes that {@code selector} selects.
   *
   * @param expiresAt when the policy expires; null: never
   */
  record Enforced(
      NodePolicy entry, NodeSelector selector, RolloutLimits rollout, @Nullable Instant expiresAt)
      implements PolicyIntent {
    @Override
    public String uid() {
      return entry.uid();
    }

    /** Whether the policy concerns a node with these labels. */
    public boolean concerns(@Nullable Map<String, String> labels) {
      return selector.matches(labels);
    }
  }

  /** A policy being deleted: no node should have it. */
  record Withdrawn(String uid) implements PolicyIntent {}

  /** A policy that has expired: no node should have it. */
  record Expired(NodePolicy entry, Instant expiresAt) implements PolicyIntent {
    @Override
    public String uid() {
      return entry.uid();
    }
  }

  /** A policy that breaks a rule: nodes keep its last valid version. */
  record Refused(String uid, String message) implements PolicyIntent {}

  /** This intent at a time: expired, if its time has come. */
  default PolicyIntent at(Instant now) {
    return this instanceof Enforced enforced
            && enforced.expiresAt() != null
            && !now.isBefore(enforced.expiresAt())
        ? new Expired(enforced.entry(), enforced.expiresAt())
        : this;
  }

  /** Judges a policy as found in the API, regardless of the time. */
  static PolicyIntent of(TokenBucketPolicy policy) {
    String uid = policy.getMetadata().getUid();
    if (policy.getMetadata().getDeletionTimestamp() != null) {
      return new Withdrawn(uid);
    }
    try {
      NodePolicy entry =
          PolicyResolver.resolve(
              policy.getMetadata().getName(),
              uid,
              policy.getMetadata().getGeneration(),
              policy.getSpec());
      return new Enforced(
          entry,
          NodeSelector.of(policy.getSpec().nodeSelector()),
          RolloutLimits.of(policy.getSpec().rollout()),
          Expiry.of(policy.getSpec()).orElse(null));
    } catch (PolicyResolver.InvalidPolicyException | IllegalArgumentException e) {
      return new Refused(uid, String.valueOf(e.getMessage()));
    }
  }
}

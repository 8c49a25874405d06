// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.plan;

import dev.tokenbucket.api.v1alpha1.AddressSetRef;
import dev.tokenbucket.api.v1alpha1.AddressSets;
import dev.tokenbucket.api.v1alpha1.Expiry;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.PolicyResolver;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.operator.rollout.RolloutLimits;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
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

    /** The same intent with another entry. */
    public Enforced running(NodePolicy other) {
      return new Enforced(other, selector, rollout, expiresAt);
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

  /**
   * A policy that can't be planned: nodes keep what they have of it.
   *
   * @param reason one of {@link Reasons}
   * @param message what is wrong, and what to do
   */
  record Refused(String uid, String reason, String message) implements PolicyIntent {
    /** A policy that breaks a rule. */
    public Refused(String uid, String message) {
      this(uid, Reasons.INVALID, message);
    }
  }

  /** This intent at a time: expired, if its time has come. */
  default PolicyIntent at(Instant now) {
    return this instanceof Enforced enforced
            && enforced.expiresAt() != null
            && !now.isBefore(enforced.expiresAt())
        ? new Expired(enforced.entry(), enforced.expiresAt())
        : this;
  }

  /**
   * This intent with the current contents of the address sets that it names; refused, if one of
   * them does not exist. A term without its set would match everything or nothing.
   */
  default PolicyIntent with(KnownAddressSets sets) {
    if (!(this instanceof Enforced enforced)) {
      return this;
    }
    Map<String, AddressSetRef> refs = new HashMap<>();
    for (String name : AddressSets.names(enforced.entry())) {
      KnownAddressSets.Found found = sets.find(name);
      if (found instanceof KnownAddressSets.Absent absent) {
        return new Refused(uid(), Reasons.ADDRESS_SET_NOT_FOUND, absent.message());
      }
      if (found instanceof KnownAddressSets.Present present) {
        refs.put(name, present.ref());
      }
    }
    return refs.isEmpty()
        ? this
        : enforced.running(
            AddressSets.refer(
                enforced.entry(), name -> Objects.requireNonNull(refs.get(name), name)));
  }

  /** Judges a policy as found in the API, regardless of the time and of address sets. */
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

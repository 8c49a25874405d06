// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator;

import dev.tokenbucket.api.v1alpha1.Bucket;
import dev.tokenbucket.api.v1alpha1.Burst;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.Exceed;
import dev.tokenbucket.api.v1alpha1.ExceedAction;
import dev.tokenbucket.api.v1alpha1.InterfaceSelector;
import dev.tokenbucket.api.v1alpha1.MatchTerm;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.Rate;
import dev.tokenbucket.api.v1alpha1.Rollout;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicySpec;
import dev.tokenbucket.operator.plan.PolicyIntent;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Policies for tests: of 1,000 packets/s at the default priority unless a test changes them. */
public final class Policies {
  private final String name;
  private long generation = 1;
  private int priority = 500;
  private int rate = 1000;
  private boolean deleting;
  private @Nullable LabelSelector selector;
  private @Nullable Rollout rollout;
  private @Nullable Direction direction;
  private @Nullable List<InterfaceSelector> interfaces;
  private @Nullable List<MatchTerm> match;
  private @Nullable Exceed exceed;
  private @Nullable String expiresAt;

  private Policies(String name) {
    this.name = name;
  }

  public static Policies named(String name) {
    return new Policies(name);
  }

  public Policies generation(long value) {
    generation = value;
    return this;
  }

  public Policies priority(int value) {
    priority = value;
    return this;
  }

  public Policies rate(int value) {
    rate = value;
    return this;
  }

  public Policies deleting(boolean value) {
    deleting = value;
    return this;
  }

  public Policies selector(@Nullable LabelSelector value) {
    selector = value;
    return this;
  }

  public Policies on(String label, String value) {
    return selector(new LabelSelectorBuilder().withMatchLabels(Map.of(label, value)).build());
  }

  public Policies rollout(Object maxConcurrent, int maxFailures, boolean pause) {
    IntOrString concurrent =
        maxConcurrent instanceof Integer number
            ? new IntOrString(number)
            : new IntOrString((String) maxConcurrent);
    rollout = new Rollout(concurrent, new IntOrString(maxFailures), null, null, pause);
    return this;
  }

  public Policies direction(Direction value) {
    direction = value;
    return this;
  }

  public Policies interfaces(InterfaceSelector... values) {
    interfaces = List.of(values);
    return this;
  }

  public Policies match(MatchTerm... values) {
    match = List.of(values);
    return this;
  }

  /** Limits sources that are in these address sets. */
  public Policies fromSets(String... names) {
    return match(
        new MatchTerm(
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            List.of(names),
            null));
  }

  public Policies expiresAt(String value) {
    expiresAt = value;
    return this;
  }

  public Policies markEcn() {
    exceed = new Exceed(ExceedAction.MarkECN, null);
    return this;
  }

  public TokenBucketPolicy build() {
    TokenBucketPolicy policy = new TokenBucketPolicy();
    policy.getMetadata().setName(name);
    policy.getMetadata().setUid("uid-" + name);
    policy.getMetadata().setGeneration(generation);
    if (deleting) {
      policy.getMetadata().setDeletionTimestamp("2026-01-01T00:00:00Z");
    }
    policy.setSpec(
        new TokenBucketPolicySpec(
            selector,
            interfaces,
            direction,
            null,
            priority,
            match,
            null,
            null,
            (Bucket) null,
            new Rate(
                new Quantity(Integer.toString(rate)), null, null, null, null, null, null, null),
            (Burst) null,
            exceed,
            null,
            rollout,
            expiresAt));
    return policy;
  }

  public PolicyIntent intent() {
    return PolicyIntent.of(build());
  }

  /** The entry that a node is to run; the policy has to be valid. */
  public NodePolicy entry() {
    return ((PolicyIntent.Enforced) intent()).entry();
  }
}

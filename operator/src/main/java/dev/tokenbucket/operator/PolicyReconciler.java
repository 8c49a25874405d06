// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator;

import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicyStatus;
import dev.tokenbucket.operator.fleet.Fleet;
import dev.tokenbucket.operator.fleet.PolicyReport;
import dev.tokenbucket.operator.status.DeletionVerdict;
import dev.tokenbucket.operator.status.PolicyEvent;
import dev.tokenbucket.operator.status.PolicyStatusAggregator;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.api.reconciler.Cleaner;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.DeleteControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.rate.RateLimited;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.quarkus.arc.Unremovable;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a policy's status and Events, and releases a deleted policy when no node enforces it any
 * more.
 */
@ApplicationScoped
@Unremovable
@ControllerConfiguration(
    name = "policy",
    fieldManager = Fleet.FIELD_MANAGER,
    finalizerName = PolicyReconciler.FINALIZER)
@RateLimited(maxReconciliations = 1, within = 1, unit = TimeUnit.SECONDS)
public class PolicyReconciler implements Reconciler<TokenBucketPolicy>, Cleaner<TokenBucketPolicy> {
  /** Keeps a deleted policy in the API while a reachable node enforces it. */
  public static final String FINALIZER = "tokenbucket.dev/enforcement";

  private static final Logger LOG = LoggerFactory.getLogger(PolicyReconciler.class);

  /**
   * How long the cache may lag behind an own write. The limit exists because versions go back when
   * the cluster is restored.
   */
  private static final Duration BEHIND = Duration.ofMinutes(1);

  private final FleetFeed feed;
  private final EventRecorder events;
  private final DeletionVerdict.Limits deletion;

  /** The last write per policy, until the cache has it. */
  private final Map<String, Written> written = new ConcurrentHashMap<>();

  private record Written(TokenBucketPolicy policy, Instant at) {}

  /**
   * @param unreachable how long a node must have been not Ready, or its agent silent, before a
   *     deletion continues without it
   * @param atMost how long a deletion waits for any node
   */
  PolicyReconciler(
      FleetFeed feed,
      EventRecorder events,
      @ConfigProperty(name = "tokenbucket.deletion.timeout", defaultValue = "5m")
          Duration unreachable,
      @ConfigProperty(name = "tokenbucket.deletion.deadline", defaultValue = "15m")
          Duration atMost) {
    this.feed = feed;
    this.events = events;
    this.deletion = new DeletionVerdict.Limits(unreachable, atMost);
  }

  @Override
  public List<EventSource<?, TokenBucketPolicy>> prepareEventSources(
      EventSourceContext<TokenBucketPolicy> context) {
    return List.of(FleetSource.ofPolicies(feed, context));
  }

  @Override
  public UpdateControl<TokenBucketPolicy> reconcile(
      TokenBucketPolicy policy, Context<TokenBucketPolicy> context) {
    feed.fleet()
        .report(policy.getMetadata().getUid())
        .ifPresent(report -> report(latest(policy), report, context.getClient()));
    return UpdateControl.noUpdate();
  }

  /**
   * The newer of the cached policy and the own last write. Otherwise a status would be compared
   * with, and written against, a status that is already replaced.
   */
  private TokenBucketPolicy latest(TokenBucketPolicy cached) {
    Written mine = written.get(cached.getMetadata().getUid());
    return mine == null
            || version(mine.policy()) < version(cached)
            || mine.at().plus(BEHIND).isBefore(Instant.now())
        ? cached
        : mine.policy();
  }

  private static long version(TokenBucketPolicy policy) {
    return Long.parseUnsignedLong(policy.getMetadata().getResourceVersion());
  }

  private void report(TokenBucketPolicy policy, PolicyReport report, KubernetesClient client) {
    TokenBucketPolicyStatus before = policy.getStatus();
    TokenBucketPolicyStatus now = PolicyStatusAggregator.aggregate(report, before, Instant.now());
    if (now.equals(before)) {
      return;
    }
    // Before the status: an operator that dies in between repeats the Event instead of losing it.
    PolicyEvent.between(before, now).forEach(event -> events.record(client, policy, event));
    TokenBucketPolicy update = new TokenBucketPolicy();
    // Refused if the policy has another version by now.
    update.getMetadata().setResourceVersion(policy.getMetadata().getResourceVersion());
    TokenBucketPolicy answer = StatusWrites.apply(client, policy, update, now);
    written.put(policy.getMetadata().getUid(), new Written(answer, Instant.now()));
  }

  @Override
  public DeleteControl cleanup(TokenBucketPolicy policy, Context<TokenBucketPolicy> context) {
    Instant deletedAt = Instant.parse(policy.getMetadata().getDeletionTimestamp());
    return feed.fleet()
        .holders(policy.getMetadata().getUid())
        .map(holders -> DeletionVerdict.of(holders, deletedAt, Instant.now(), deletion))
        .map(verdict -> settle(policy, verdict, context.getClient()))
        .orElseGet(DeleteControl::noFinalizerRemoval);
  }

  private DeleteControl settle(
      TokenBucketPolicy policy, DeletionVerdict verdict, KubernetesClient client) {
    if (!verdict.awaited().isEmpty()) {
      LOG.debug("policy {} waits for {}", policy.getMetadata().getName(), verdict.awaited());
      return DeleteControl.noFinalizerRemoval().rescheduleAfter(verdict.again().toMillis());
    }
    verdict
        .event(policy.getMetadata().getGeneration())
        .ifPresent(
            event -> {
              LOG.warn("policy {}: {}", policy.getMetadata().getName(), event.message());
              events.record(client, policy, event);
            });
    written.remove(policy.getMetadata().getUid());
    return DeleteControl.defaultDelete();
  }
}

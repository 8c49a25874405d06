package dev.tokenbucket.operator;

import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicyStatus;
import dev.tokenbucket.operator.plan.PolicyIntent;
import dev.tokenbucket.operator.status.NodeReport;
import dev.tokenbucket.operator.status.PolicyStatusAggregator;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Node;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Cleaner;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.DeleteControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.rate.RateLimited;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import io.quarkus.arc.Unremovable;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Judges a policy, counts what its nodes report, and lets it go when no node enforces it. */
@ApplicationScoped
@Unremovable
@ControllerConfiguration(
    name = "policy",
    fieldManager = NodeReconciler.FIELD_MANAGER,
    finalizerName = PolicyReconciler.FINALIZER)
@RateLimited(maxReconciliations = 2, within = 1, unit = TimeUnit.SECONDS)
public class PolicyReconciler implements Reconciler<TokenBucketPolicy>, Cleaner<TokenBucketPolicy> {
  /** Holds a policy in the API while a node that can be reached enforces it. */
  static final String FINALIZER = "tokenbucket.dev/enforcement";

  private static final Duration DELETION_POLL = Duration.ofSeconds(10);
  private static final Logger LOG = LoggerFactory.getLogger(PolicyReconciler.class);

  @Override
  public List<EventSource<?, TokenBucketPolicy>> prepareEventSources(
      EventSourceContext<TokenBucketPolicy> context) {
    InformerEventSource<TokenBucketNodeState, TokenBucketPolicy> nodeStates =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(
                    TokenBucketNodeState.class, TokenBucketPolicy.class)
                .withSecondaryToPrimaryMapper(state -> policiesOf(state, context))
                .build(),
            context);
    Caches.indexByPolicy(nodeStates);
    InformerEventSource<Node, TokenBucketPolicy> nodes =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(Node.class, TokenBucketPolicy.class)
                .withSecondaryToPrimaryMapper(node -> Caches.ids(Caches.primaries(context)))
                .withOnUpdateFilter(PolicyReconciler::labelsOrReadinessChanged)
                .build(),
            context);
    return List.of(nodeStates, nodes);
  }

  /** The policies that a node state lists, and those that wait for some node to change. */
  private static Set<ResourceID> policiesOf(
      TokenBucketNodeState state, EventSourceContext<TokenBucketPolicy> context) {
    Set<String> listed = Caches.policyUids(state);
    return Caches.ids(
        Caches.primaries(context)
            .filter(p -> listed.contains(p.getMetadata().getUid()) || !settled(p)));
  }

  private static boolean settled(TokenBucketPolicy policy) {
    List<Condition> conditions =
        policy.getStatus() == null ? null : policy.getStatus().conditions();
    return policy.getMetadata().getDeletionTimestamp() == null
        && conditions != null
        && conditions.stream()
            .anyMatch(c -> c.getType().equals(Reasons.PROGRAMMED) && c.getStatus().equals("True"));
  }

  private static boolean labelsOrReadinessChanged(Node now, Node before) {
    return !Objects.equals(now.getMetadata().getLabels(), before.getMetadata().getLabels())
        || reachable(now) != reachable(before);
  }

  /** A node without a Ready condition is taken for reachable: nothing says that it is not. */
  private static boolean reachable(Node node) {
    return node.getStatus() == null
        || node.getStatus().getConditions() == null
        || node.getStatus().getConditions().stream()
            .filter(c -> c.getType().equals("Ready"))
            .allMatch(c -> c.getStatus().equals("True"));
  }

  @Override
  public UpdateControl<TokenBucketPolicy> reconcile(
      TokenBucketPolicy policy, Context<TokenBucketPolicy> context) {
    PolicyIntent intent = PolicyIntent.of(policy);
    if (intent instanceof PolicyIntent.Withdrawn) {
      return UpdateControl.noUpdate();
    }
    TokenBucketPolicyStatus status =
        PolicyStatusAggregator.aggregate(
            intent,
            policy.getMetadata().getGeneration(),
            reports(intent, context),
            policy.getStatus(),
            Instant.now());
    if (status.equals(policy.getStatus())) {
      return UpdateControl.noUpdate();
    }
    TokenBucketPolicy update = new TokenBucketPolicy();
    update.getMetadata().setName(policy.getMetadata().getName());
    update.setStatus(status);
    return UpdateControl.patchStatus(update);
  }

  private static List<NodeReport> reports(PolicyIntent intent, Context<TokenBucketPolicy> context) {
    Map<String, NodePolicyStatus> entries = new HashMap<>();
    for (TokenBucketNodeState state : statesOf(intent.uid(), context)) {
      Caches.statusEntries(state).stream()
          .filter(entry -> entry.uid().equals(intent.uid()))
          .forEach(entry -> entries.put(state.getMetadata().getName(), entry));
    }
    List<NodeReport> reports = new ArrayList<>();
    Caches.of(context, Node.class)
        .list(any -> true)
        .forEach(
            node -> {
              String name = node.getMetadata().getName();
              boolean desired =
                  intent instanceof PolicyIntent.Enforced enforced
                      && enforced.concerns(node.getMetadata().getLabels());
              NodePolicyStatus entry = entries.get(name);
              if (desired || entry != null) {
                reports.add(new NodeReport(name, desired, entry));
              }
            });
    return reports;
  }

  private static List<TokenBucketNodeState> statesOf(
      String uid, Context<TokenBucketPolicy> context) {
    return Caches.of(context, TokenBucketNodeState.class).byIndex(Caches.BY_POLICY, uid);
  }

  @Override
  public DeleteControl cleanup(TokenBucketPolicy policy, Context<TokenBucketPolicy> context) {
    var nodes = Caches.of(context, Node.class);
    List<String> awaited = new ArrayList<>();
    List<String> unreachable = new ArrayList<>();
    for (TokenBucketNodeState state : statesOf(policy.getMetadata().getUid(), context)) {
      String name = state.getMetadata().getName();
      Optional<Node> node = nodes.get(new ResourceID(name));
      (node.filter(PolicyReconciler::reachable).isPresent() ? awaited : unreachable).add(name);
    }
    if (!awaited.isEmpty()) {
      return DeleteControl.noFinalizerRemoval().rescheduleAfter(DELETION_POLL.toMillis());
    }
    if (!unreachable.isEmpty()) {
      LOG.warn(
          "policy {} is deleted though nodes that can't be reached may enforce it until they come"
              + " back: {}",
          policy.getMetadata().getName(),
          unreachable);
    }
    return DeleteControl.defaultDelete();
  }
}

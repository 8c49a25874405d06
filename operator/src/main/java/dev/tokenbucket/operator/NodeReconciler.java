package dev.tokenbucket.operator;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateSpec;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.operator.plan.NodeStatePlanner;
import dev.tokenbucket.operator.plan.PolicyIntent;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.javaoperatorsdk.operator.api.config.informer.Informer;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.filter.OnUpdateFilter;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import io.quarkus.arc.Unremovable;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The only writer of a node's TokenBucketNodeState: makes it what the planner says. */
@ApplicationScoped
@Unremovable
@ControllerConfiguration(
    name = "node",
    fieldManager = NodeReconciler.FIELD_MANAGER,
    generationAwareEventProcessing = false,
    informer = @Informer(onUpdateFilter = NodeReconciler.LabelsChanged.class))
public class NodeReconciler implements Reconciler<Node> {
  static final String FIELD_MANAGER = "tokenbucket-operator";
  private static final Logger LOG = LoggerFactory.getLogger(NodeReconciler.class);

  /** A node's heartbeats are not ours to act on. */
  static final class LabelsChanged implements OnUpdateFilter<Node> {
    @Override
    public boolean accept(Node now, Node before) {
      return !Objects.equals(now.getMetadata().getLabels(), before.getMetadata().getLabels());
    }
  }

  @Override
  public List<EventSource<?, Node>> prepareEventSources(EventSourceContext<Node> context) {
    InformerEventSource<TokenBucketNodeState, Node> nodeStates =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(TokenBucketNodeState.class, Node.class)
                .withSecondaryToPrimaryMapper(
                    state -> Set.of(new ResourceID(state.getMetadata().getName())))
                .withOnUpdateFilter(NodeReconciler::concernsThePlan)
                .build(),
            context);
    Caches.indexByPolicy(nodeStates);
    InformerEventSource<TokenBucketPolicy, Node> policies =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(TokenBucketPolicy.class, Node.class)
                .withSecondaryToPrimaryMapper(policy -> nodesOf(policy, context, nodeStates))
                .withOnUpdateFilter(NodeReconciler::specOrDeletionChanged)
                .build(),
            context);
    return List.of(nodeStates, policies);
  }

  /** Its spec was changed by another's hand, or the agent said something of an empty one. */
  private static boolean concernsThePlan(TokenBucketNodeState now, TokenBucketNodeState before) {
    return Caches.specEntries(now).isEmpty()
        || !Objects.equals(now.getMetadata().getGeneration(), before.getMetadata().getGeneration())
        || !Objects.equals(
            now.getMetadata().getOwnerReferences(), before.getMetadata().getOwnerReferences());
  }

  private static boolean specOrDeletionChanged(TokenBucketPolicy now, TokenBucketPolicy before) {
    return !Objects.equals(now.getMetadata().getGeneration(), before.getMetadata().getGeneration())
        || !Objects.equals(
            now.getMetadata().getDeletionTimestamp(), before.getMetadata().getDeletionTimestamp());
  }

  /** The nodes that a policy concerns, and those that have it still. */
  private static Set<ResourceID> nodesOf(
      TokenBucketPolicy policy,
      EventSourceContext<Node> context,
      InformerEventSource<TokenBucketNodeState, Node> nodeStates) {
    Stream<ResourceID> having =
        nodeStates.byIndex(Caches.BY_POLICY, policy.getMetadata().getUid()).stream()
            .map(state -> new ResourceID(state.getMetadata().getName()));
    if (!(PolicyIntent.of(policy) instanceof PolicyIntent.Enforced enforced)) {
      return having.collect(Collectors.toUnmodifiableSet());
    }
    Stream<ResourceID> concerned =
        Caches.primaries(context)
            .filter(node -> enforced.concerns(node.getMetadata().getLabels()))
            .map(ResourceID::fromResource);
    return Stream.concat(having, concerned).collect(Collectors.toUnmodifiableSet());
  }

  @Override
  public UpdateControl<Node> reconcile(Node node, Context<Node> context) {
    String name = node.getMetadata().getName();
    Optional<TokenBucketNodeState> there =
        Caches.of(context, TokenBucketNodeState.class).get(new ResourceID(name));
    List<NodePolicy> before = there.map(Caches::specEntries).orElse(List.of());
    List<NodePolicy> planned =
        NodeStatePlanner.plan(
            node.getMetadata().getLabels(),
            Caches.of(context, TokenBucketPolicy.class)
                .list(any -> true)
                .map(PolicyIntent::of)
                .toList(),
            before);
    if (!planned.equals(before)) {
      write(node, planned, context);
    } else if (planned.isEmpty() && there.filter(NodeReconciler::confirmedEmpty).isPresent()) {
      context.getClient().resource(there.get()).delete();
      LOG.info("node {}: nothing of ours is left; removed its node state", name);
    }
    return UpdateControl.noUpdate();
  }

  /** The agent has said that the kernel runs nothing of ours for this very generation. */
  private static boolean confirmedEmpty(TokenBucketNodeState state) {
    return state.getMetadata().getDeletionTimestamp() == null
        && state.getStatus() != null
        && Objects.equals(
            state.getStatus().observedGeneration(), state.getMetadata().getGeneration())
        && Caches.statusEntries(state).isEmpty();
  }

  private static void write(Node node, List<NodePolicy> planned, Context<Node> context) {
    TokenBucketNodeState state = new TokenBucketNodeState();
    state.getMetadata().setName(node.getMetadata().getName());
    state
        .getMetadata()
        .setOwnerReferences(
            List.of(
                new OwnerReferenceBuilder()
                    .withApiVersion("v1")
                    .withKind("Node")
                    .withName(node.getMetadata().getName())
                    .withUid(node.getMetadata().getUid())
                    .build()));
    state.setSpec(new TokenBucketNodeStateSpec(planned));
    context
        .getClient()
        .resource(state)
        .fieldManager(FIELD_MANAGER)
        .forceConflicts()
        .serverSideApply();
    LOG.info(
        "node {}: {}",
        node.getMetadata().getName(),
        planned.stream().map(entry -> entry.name() + " generation " + entry.generation()).toList());
  }
}

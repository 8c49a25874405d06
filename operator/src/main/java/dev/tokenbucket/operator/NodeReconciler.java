// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator;

import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.operator.fleet.Fleet;
import dev.tokenbucket.operator.fleet.NodeStateDraft;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.javaoperatorsdk.operator.api.config.informer.Informer;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.filter.OnUpdateFilter;
import io.quarkus.arc.Unremovable;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The only writer of a node's TokenBucketNodeState: makes the node state what planner and gates
 * decide.
 */
@ApplicationScoped
@Unremovable
@ControllerConfiguration(
    name = "node",
    fieldManager = Fleet.FIELD_MANAGER,
    generationAwareEventProcessing = false,
    informer =
        @Informer(
            onUpdateFilter = NodeReconciler.WokenByTheFleet.class,
            itemStore = ReducedStores.Nodes.class))
public class NodeReconciler implements Reconciler<Node> {
  private static final Logger LOG = LoggerFactory.getLogger(NodeReconciler.class);

  private final FleetFeed feed;

  NodeReconciler(FleetFeed feed) {
    this.feed = feed;
  }

  /** A node's heartbeats need no action; the fleet knows which changes do. */
  static final class WokenByTheFleet implements OnUpdateFilter<Node> {
    @Override
    public boolean accept(Node now, Node before) {
      return false;
    }
  }

  @Override
  public List<EventSource<?, Node>> prepareEventSources(EventSourceContext<Node> context) {
    return List.of(FleetSource.ofNodes(feed, context));
  }

  @Override
  public UpdateControl<Node> reconcile(Node node, Context<Node> context) {
    feed.fleet().draft(node.getMetadata().getName()).ifPresent(draft -> apply(draft, context));
    return UpdateControl.noUpdate();
  }

  private void apply(NodeStateDraft draft, Context<Node> context) {
    if (draft.differs()) {
      feed.wake(feed.fleet().answered(write(draft, context)));
    } else if (draft.isOver()) {
      remove(draft, context);
    }
  }

  private static TokenBucketNodeState write(NodeStateDraft draft, Context<Node> context) {
    TokenBucketNodeState state = new TokenBucketNodeState();
    state.getMetadata().setName(draft.node().name());
    state
        .getMetadata()
        .setOwnerReferences(
            List.of(
                new OwnerReferenceBuilder()
                    .withApiVersion("v1")
                    .withKind("Node")
                    .withName(draft.node().name())
                    .withUid(draft.node().uid())
                    .build()));
    // Replaces only the version that was seen: a late write of a former leader is refused.
    if (!draft.thereVersion().isEmpty()) {
      state.getMetadata().setResourceVersion(draft.thereVersion());
    }
    state.setSpec(draft.spec());
    TokenBucketNodeState written =
        context
            .getClient()
            .resource(state)
            .fieldManager(Fleet.FIELD_MANAGER)
            .forceConflicts()
            .serverSideApply();
    LOG.info("node {}: {}", draft.node().name(), draft.changes());
    return written;
  }

  /**
   * Removes only the node state that was seen to be empty: another one of the same name may exist
   * by now.
   */
  private static void remove(NodeStateDraft draft, Context<Node> context) {
    TokenBucketNodeState state = new TokenBucketNodeState();
    state.getMetadata().setName(draft.node().name());
    context.getClient().resource(state).lockResourceVersion(draft.thereVersion()).delete();
    LOG.info("node {}: no policy is left; removed the node state", draft.node().name());
  }
}

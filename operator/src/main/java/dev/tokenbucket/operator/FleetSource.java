// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator;

import dev.tokenbucket.api.v1alpha1.TokenBucketAddressSet;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Node;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.health.Status;
import io.javaoperatorsdk.operator.processing.event.Event;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.AbstractEventSource;
import io.javaoperatorsdk.operator.processing.event.source.ResourceEventAware;
import java.util.Set;

/**
 * Connects a reconciler and the fleet: passes the reconciler's primary resources to the fleet, and
 * wakes the reconciler for the names that the fleet returns.
 */
abstract class FleetSource<P extends HasMetadata>
    extends AbstractEventSource<TokenBucketNodeState, P> implements ResourceEventAware<P> {
  final FleetFeed feed;
  private final EventSourceContext<P> context;

  private FleetSource(String name, FleetFeed feed, EventSourceContext<P> context) {
    super(TokenBucketNodeState.class, name);
    this.feed = feed;
    this.context = context;
  }

  static FleetSource<Node> ofNodes(FleetFeed feed, EventSourceContext<Node> context) {
    return new Nodes(feed, context);
  }

  static FleetSource<TokenBucketPolicy> ofPolicies(
      FleetFeed feed, EventSourceContext<TokenBucketPolicy> context) {
    return new Policies(feed, context);
  }

  static FleetSource<TokenBucketAddressSet> ofAddressSets(
      FleetFeed feed, EventSourceContext<TokenBucketAddressSet> context) {
    return new AddressSets(feed, context);
  }

  abstract void load(EventSourceContext<P> context);

  /** Starts the source; the primary resources have already been read. */
  @Override
  public void start() {
    super.start();
    feed.watchNodeStates(context.getClient());
    load(context);
  }

  @Override
  public void stop() {
    super.stop();
    feed.stop();
  }

  @Override
  public Status getStatus() {
    return feed.watching() ? Status.HEALTHY : Status.UNHEALTHY;
  }

  void wake(Set<String> names) {
    names.forEach(name -> getEventHandler().handleEvent(new Event(new ResourceID(name))));
  }

  @Override
  public Set<TokenBucketNodeState> getSecondaryResources(P primary) {
    return Set.of();
  }

  @Override
  public void onResourceUpdated(P now, P before) {
    onResourceCreated(now);
  }

  private static final class Nodes extends FleetSource<Node> {
    Nodes(FleetFeed feed, EventSourceContext<Node> context) {
      super("fleet-nodes", feed, context);
      feed.onNodes(this::wake);
    }

    @Override
    void load(EventSourceContext<Node> context) {
      feed.nodesLoaded(() -> context.getPrimaryCache().list(any -> true));
    }

    @Override
    public void onResourceCreated(Node node) {
      feed.wake(feed.fleet().put(node));
    }

    @Override
    public void onResourceDeleted(Node node) {
      feed.wake(feed.fleet().removeNode(node.getMetadata().getName()));
    }
  }

  private static final class Policies extends FleetSource<TokenBucketPolicy> {
    Policies(FleetFeed feed, EventSourceContext<TokenBucketPolicy> context) {
      super("fleet-policies", feed, context);
      feed.onPolicies(this::wake);
    }

    @Override
    void load(EventSourceContext<TokenBucketPolicy> context) {
      feed.policiesLoaded(() -> context.getPrimaryCache().list(any -> true));
    }

    @Override
    public void onResourceCreated(TokenBucketPolicy policy) {
      feed.wake(feed.fleet().put(policy));
    }

    @Override
    public void onResourceDeleted(TokenBucketPolicy policy) {
      feed.wake(feed.fleet().removePolicy(policy.getMetadata().getUid()));
    }
  }

  private static final class AddressSets extends FleetSource<TokenBucketAddressSet> {
    AddressSets(FleetFeed feed, EventSourceContext<TokenBucketAddressSet> context) {
      super("fleet-address-sets", feed, context);
      feed.onAddressSets(this::wake);
    }

    @Override
    void load(EventSourceContext<TokenBucketAddressSet> context) {
      feed.addressSetsLoaded(() -> context.getPrimaryCache().list(any -> true));
    }

    @Override
    public void onResourceCreated(TokenBucketAddressSet set) {
      feed.wake(feed.fleet().put(set));
    }

    @Override
    public void onResourceDeleted(TokenBucketAddressSet set) {
      feed.wake(feed.fleet().removeAddressSet(set.getMetadata().getName()));
    }
  }
}

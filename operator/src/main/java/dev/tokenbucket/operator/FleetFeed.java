// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator;

import dev.tokenbucket.api.v1alpha1.TokenBucketAddressSet;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.operator.fleet.Affected;
import dev.tokenbucket.operator.fleet.AgentTimeouts;
import dev.tokenbucket.operator.fleet.Fleet;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Feeds the {@link Fleet} with the API server's objects, and wakes the reconcilers. Nodes, policies
 * and address sets come from the reconcilers' own caches, node states from one watch that all
 * reconcilers share.
 */
@ApplicationScoped
public class FleetFeed {
  private static final Logger LOG = LoggerFactory.getLogger(FleetFeed.class);

  /**
   * The page size. A node state with 50 policies takes about 40 kB, so thousands are not read in
   * one response.
   */
  private static final long PAGE = 250;

  /** The interval between checks of changes that follow from time alone. */
  private static final Duration TICK = Duration.ofSeconds(1);

  /** The namespace of the API servers' endpoints: the service by which pods reach them. */
  static final String ENDPOINTS_NAMESPACE = "default";

  private static final String SERVICE_LABEL = "kubernetes.io/service-name";
  private static final String SERVICE = "kubernetes";

  private final Fleet fleet;
  private final boolean discover;
  private final Periodic timer = new Periodic("fleet");
  private final CopyOnWriteArrayList<Consumer<Set<String>>> nodes = new CopyOnWriteArrayList<>();
  private final CopyOnWriteArrayList<Consumer<Set<String>>> policies = new CopyOnWriteArrayList<>();
  private final CopyOnWriteArrayList<Consumer<Set<String>>> addressSets =
      new CopyOnWriteArrayList<>();
  private final EnumSet<Part> missing = EnumSet.allOf(Part.class);
  private @Nullable SharedIndexInformer<TokenBucketNodeState> informer;
  private @Nullable SharedIndexInformer<EndpointSlice> endpoints;

  private enum Part {
    NODES,
    POLICIES,
    ADDRESS_SETS,
    STATES
  }

  FleetFeed(
      FailsafeConfiguration failsafes,
      @ConfigProperty(name = "tokenbucket.agent.silence", defaultValue = "5m") Duration silence,
      @ConfigProperty(name = "tokenbucket.agent.start", defaultValue = "1m") Duration start) {
    discover = failsafes.settings().discover();
    fleet = new Fleet(failsafes.settings(), new AgentTimeouts(silence, start), Clock.systemUTC());
  }

  Fleet fleet() {
    return fleet;
  }

  void onNodes(Consumer<Set<String>> wake) {
    nodes.add(wake);
  }

  void onPolicies(Consumer<Set<String>> wake) {
    policies.add(wake);
  }

  void onAddressSets(Consumer<Set<String>> wake) {
    addressSets.add(wake);
  }

  void wake(Affected affected) {
    if (!affected.nodes().isEmpty()) {
      nodes.forEach(wake -> wake.accept(affected.nodes()));
    }
    if (!affected.policies().isEmpty()) {
      policies.forEach(wake -> wake.accept(affected.policies()));
    }
    if (!affected.addressSets().isEmpty()) {
      addressSets.forEach(wake -> wake.accept(affected.addressSets()));
    }
  }

  void nodesLoaded(Supplier<Stream<Node>> there) {
    fleet.loadNodes(there);
    loaded(Part.NODES);
  }

  void policiesLoaded(Supplier<Stream<TokenBucketPolicy>> there) {
    fleet.loadPolicies(there);
    loaded(Part.POLICIES);
  }

  void addressSetsLoaded(Supplier<Stream<TokenBucketAddressSet>> there) {
    fleet.loadAddressSets(there);
    loaded(Part.ADDRESS_SETS);
  }

  private void loaded(Part part) {
    boolean complete;
    synchronized (missing) {
      complete = missing.remove(part) && missing.isEmpty();
    }
    if (complete) {
      wake(fleet.open());
    }
  }

  /** Starts the watch of node states, and returns once all existing ones have been read. */
  synchronized void watchNodeStates(KubernetesClient client) {
    if (informer != null) {
      return;
    }
    if (discover) {
      watchEndpoints(client);
    }
    informer =
        client
            .resources(TokenBucketNodeState.class)
            .withLimit(PAGE)
            .runnableInformer(0)
            .itemStore(new ReducedStores.NodeStates())
            .exceptionHandler((started, e) -> retry(e))
            .addEventHandler(new NodeStateEvents());
    informer.start().toCompletableFuture().join();
    loaded(Part.STATES);
    timer.start(() -> wake(fleet.tick()), TICK, TICK);
  }

  /**
   * Watches endpoints, before the first node state is written: a node state without the API servers
   * could cut nodes off.
   */
  private void watchEndpoints(KubernetesClient client) {
    endpoints =
        client
            .resources(EndpointSlice.class)
            .inNamespace(ENDPOINTS_NAMESPACE)
            .withLabel(SERVICE_LABEL, SERVICE)
            .runnableInformer(0)
            .exceptionHandler((started, e) -> retryEndpoints(e))
            .addEventHandler(new EndpointEvents());
    endpoints.start().toCompletableFuture().join();
  }

  private static boolean retryEndpoints(Throwable e) {
    LOG.warn(
        "watching endpointslices of service {}/{} failed, trying again (403: the operator's account"
            + " needs a Role in that namespace to get, list and watch them): {}",
        ENDPOINTS_NAMESPACE,
        SERVICE,
        e.toString());
    return true;
  }

  /** Whether the watches are running. A watch that waits for the API server to come back counts. */
  synchronized boolean watching() {
    return (informer == null || informer.isRunning())
        && (endpoints == null || endpoints.isRunning());
  }

  synchronized void stop() {
    timer.close();
    if (informer != null) {
      informer.stop();
    }
    if (endpoints != null) {
      endpoints.stop();
    }
  }

  private static boolean retry(Throwable e) {
    LOG.warn("watching tokenbucketnodestates failed, trying again: {}", e.toString());
    return true;
  }

  private final class EndpointEvents implements ResourceEventHandler<EndpointSlice> {
    @Override
    public void onAdd(EndpointSlice slice) {
      wake(fleet.put(slice));
    }

    @Override
    public void onUpdate(EndpointSlice before, EndpointSlice now) {
      wake(fleet.put(now));
    }

    @Override
    public void onDelete(EndpointSlice slice, boolean unknown) {
      wake(fleet.removeSlice(slice.getMetadata().getName()));
    }
  }

  private final class NodeStateEvents implements ResourceEventHandler<TokenBucketNodeState> {
    @Override
    public void onAdd(TokenBucketNodeState state) {
      wake(fleet.put(state));
    }

    @Override
    public void onUpdate(TokenBucketNodeState before, TokenBucketNodeState now) {
      wake(fleet.put(now));
    }

    @Override
    public void onDelete(TokenBucketNodeState state, boolean unknown) {
      wake(fleet.removeState(state.getMetadata().getName(), state.getMetadata().getUid()));
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator;

import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes node states whose Node is gone. Garbage collection does that too, but only for node
 * states that still name their owner. No reconciler could do it, because no Node exists to trigger
 * a reconciliation. The sweep sends the API server no requests while there are no orphans.
 */
final class OrphanSweep implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OrphanSweep.class);
  private static final Duration PAUSE = Duration.ofSeconds(2);

  private final FleetFeed feed;
  private final KubernetesClient client;
  private final BooleanSupplier leading;
  private final Periodic timer = new Periodic("orphans");

  /**
   * @param leading whether this replica may write
   */
  OrphanSweep(FleetFeed feed, KubernetesClient client, BooleanSupplier leading) {
    this.feed = feed;
    this.client = client;
    this.leading = leading;
  }

  void start() {
    timer.start(this::sweep, PAUSE, PAUSE);
  }

  private void sweep() {
    if (!leading.getAsBoolean()) {
      return;
    }
    feed.fleet()
        .orphans()
        .forEach(
            (name, uid) -> {
              try {
                remove(name, uid);
              } catch (KubernetesClientException e) {
                LOG.warn(
                    "node state {} has no node and could not be removed: {}", name, e.getMessage());
              }
            });
  }

  /** Removes a node state by uid: the node may have come back just now, with a new node state. */
  private void remove(String name, String uid) {
    TokenBucketNodeState there = client.resources(TokenBucketNodeState.class).withName(name).get();
    if (there != null
        && Objects.equals(there.getMetadata().getUid(), uid)
        && client.nodes().withName(name).get() == null) {
      client.resource(there).lockResourceVersion(there.getMetadata().getResourceVersion()).delete();
      LOG.info("node {} no longer exists; removed its node state", name);
    }
  }

  @Override
  public void close() {
    timer.close();
  }
}

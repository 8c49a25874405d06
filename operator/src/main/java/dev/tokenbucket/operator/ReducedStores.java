// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator;

import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeAddress;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.NodeCondition;
import io.fabric8.kubernetes.api.model.NodeSystemInfo;
import io.fabric8.kubernetes.api.model.NodeSystemInfoBuilder;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.informers.cache.BasicItemStore;
import io.fabric8.kubernetes.client.informers.cache.Cache;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The parts of objects that informers keep: only those that the operator reads again, which stays
 * small for thousands of objects.
 */
final class ReducedStores {
  private ReducedStores() {}

  private abstract static class Reduced<T extends HasMetadata> extends BasicItemStore<T> {
    Reduced() {
      super(Cache::metaNamespaceKeyFunc);
    }

    abstract T reduce(T resource);

    @Override
    public @Nullable T put(String key, T resource) {
      return super.put(key, reduce(resource));
    }

    /** False, so that the informer passes new objects to handlers in full, not reduced. */
    @Override
    public boolean isFullState() {
      return false;
    }
  }

  private static ObjectMeta identity(ObjectMeta metadata) {
    return new ObjectMetaBuilder()
        .withName(metadata.getName())
        .withUid(metadata.getUid())
        .withResourceVersion(metadata.getResourceVersion())
        .build();
  }

  /** Node states, reduced to their identity: the fleet keeps the relevant parts. */
  static final class NodeStates extends Reduced<TokenBucketNodeState> {
    @Override
    TokenBucketNodeState reduce(TokenBucketNodeState state) {
      TokenBucketNodeState reduced = new TokenBucketNodeState();
      reduced.setMetadata(identity(state.getMetadata()));
      return reduced;
    }
  }

  /**
   * Nodes, reduced to labels, readiness, boot and internal addresses; most of a Node is its list of
   * images.
   */
  static final class Nodes extends Reduced<Node> {
    /** The most addresses used per Node. */
    private static final int ADDRESSES = 8;

    @Override
    Node reduce(Node node) {
      ObjectMeta metadata = identity(node.getMetadata());
      metadata.setLabels(node.getMetadata().getLabels());
      return new NodeBuilder()
          .withMetadata(metadata)
          .withNewStatus()
          .withConditions(ready(node))
          .withAddresses(internal(node))
          .withDaemonEndpoints(
              node.getStatus() == null ? null : node.getStatus().getDaemonEndpoints())
          .withNodeInfo(boot(node))
          .endStatus()
          .build();
    }

    private static @Nullable NodeSystemInfo boot(Node node) {
      NodeSystemInfo info = node.getStatus() == null ? null : node.getStatus().getNodeInfo();
      return info == null ? null : new NodeSystemInfoBuilder().withBootID(info.getBootID()).build();
    }

    private static List<NodeAddress> internal(Node node) {
      return node.getStatus() == null || node.getStatus().getAddresses() == null
          ? List.of()
          : node.getStatus().getAddresses().stream()
              .filter(address -> "InternalIP".equals(address.getType()))
              .limit(ADDRESSES)
              .toList();
    }

    private static List<NodeCondition> ready(Node node) {
      return node.getStatus() == null || node.getStatus().getConditions() == null
          ? List.of()
          : node.getStatus().getConditions().stream()
              .filter(condition -> "Ready".equals(condition.getType()))
              .toList();
    }
  }
}

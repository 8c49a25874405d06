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

/** What informers keep of objects: what the operator reads again, which for thousands is little. */
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

    /** Has the informer tell handlers of new objects as they are, not as they are kept. */
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

  /** Node states by identity alone: the fleet keeps what matters of them. */
  static final class NodeStates extends Reduced<TokenBucketNodeState> {
    @Override
    TokenBucketNodeState reduce(TokenBucketNodeState state) {
      TokenBucketNodeState reduced = new TokenBucketNodeState();
      reduced.setMetadata(identity(state.getMetadata()));
      return reduced;
    }
  }

  /**
   * Nodes by labels, readiness, boot and internal addresses, without the images that make up most.
   */
  static final class Nodes extends Reduced<Node> {
    /** More of one Node are not used. */
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

package dev.tokenbucket.operator.fleet;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeCondition;
import io.fabric8.kubernetes.api.model.NodeSystemInfo;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What matters of a Node.
 *
 * @param ready whether it can be reached; a node without a Ready condition is taken to be: nothing
 *     says that it is not
 * @param kubeletPort where its kubelet listens; null: at the usual port
 * @param bootId of its kernel, as its kubelet tells; null where it does not
 * @param readySince where it is Ready and says since when
 * @param notReadySince where it is not ready and says since when
 */
public record NodeView(
    String name,
    String uid,
    long version,
    Map<String, String> labels,
    boolean ready,
    @Nullable String bootId,
    @Nullable Instant readySince,
    @Nullable Instant notReadySince,
    @Nullable Integer kubeletPort) {

  static NodeView of(Node node, @Nullable Integer kubeletPort) {
    Map<String, String> labels = node.getMetadata().getLabels();
    NodeCondition condition = readiness(node);
    boolean ready = condition == null || "True".equals(condition.getStatus());
    Instant since = condition == null ? null : time(condition.getLastTransitionTime());
    return new NodeView(
        node.getMetadata().getName(),
        node.getMetadata().getUid(),
        Versions.of(node),
        labels == null ? Map.of() : labels,
        ready,
        bootId(node),
        ready ? since : null,
        ready ? null : since,
        kubeletPort);
  }

  private static @Nullable NodeCondition readiness(Node node) {
    return node.getStatus() == null || node.getStatus().getConditions() == null
        ? null
        : node.getStatus().getConditions().stream()
            .filter(condition -> "Ready".equals(condition.getType()))
            .findFirst()
            .orElse(null);
  }

  private static @Nullable Instant time(@Nullable String text) {
    return text == null ? null : Instant.parse(text);
  }

  private static @Nullable String bootId(Node node) {
    NodeSystemInfo info = node.getStatus() == null ? null : node.getStatus().getNodeInfo();
    String id = info == null ? null : info.getBootID();
    return id == null || id.isEmpty() ? null : id;
  }

  /** A heartbeat is no news. */
  boolean saysTheSameAs(NodeView other) {
    return uid.equals(other.uid)
        && ready == other.ready
        && Objects.equals(bootId, other.bootId)
        && Objects.equals(readySince, other.readySince)
        && Objects.equals(notReadySince, other.notReadySince)
        && Objects.equals(kubeletPort, other.kubeletPort)
        && labels.equals(other.labels);
  }
}

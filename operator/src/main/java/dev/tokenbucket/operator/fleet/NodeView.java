package dev.tokenbucket.operator.fleet;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeCondition;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What matters of a Node.
 *
 * @param ready whether it can be reached; a node without a Ready condition is taken to be: nothing
 *     says that it is not
 * @param kubeletPort where its kubelet listens; null: at the usual port
 * @param notReadySince where it is not ready and says since when
 */
public record NodeView(
    String name,
    String uid,
    long version,
    Map<String, String> labels,
    boolean ready,
    @Nullable Instant notReadySince,
    @Nullable Integer kubeletPort) {

  static NodeView of(Node node, @Nullable Integer kubeletPort) {
    Map<String, String> labels = node.getMetadata().getLabels();
    List<NodeCondition> notReady =
        node.getStatus() == null || node.getStatus().getConditions() == null
            ? List.of()
            : node.getStatus().getConditions().stream()
                .filter(c -> "Ready".equals(c.getType()) && !"True".equals(c.getStatus()))
                .toList();
    String since = notReady.isEmpty() ? null : notReady.get(0).getLastTransitionTime();
    return new NodeView(
        node.getMetadata().getName(),
        node.getMetadata().getUid(),
        Versions.of(node),
        labels == null ? Map.of() : labels,
        notReady.isEmpty(),
        since == null ? null : Instant.parse(since),
        kubeletPort);
  }

  /** A heartbeat is no news. */
  boolean saysTheSameAs(NodeView other) {
    return uid.equals(other.uid)
        && ready == other.ready
        && Objects.equals(notReadySince, other.notReadySince)
        && Objects.equals(kubeletPort, other.kubeletPort)
        && labels.equals(other.labels);
  }
}

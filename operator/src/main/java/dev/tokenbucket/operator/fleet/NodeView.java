// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeCondition;
import io.fabric8.kubernetes.api.model.NodeSystemInfo;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The parts of a Node that matter to the operator.
 *
 * @param ready whether the node can be reached; a node without a Ready condition counts as ready,
 *     because nothing shows the contrary
 * @param kubeletPort the port of the node's kubelet; null: the usual port
 * @param bootId the kernel's boot id, as the kubelet reports it; null if not reported
 * @param readySince the time since when the node is Ready, if it is and says so
 * @param notReadySince the time since when the node is not Ready, if it is not and says so
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

  /** Whether nothing relevant differs; a heartbeat is no relevant change. */
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

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Many Node objects without machines, with policies for them. Closing removes all of them. */
public final class SimulatedNodes implements AutoCloseable {
  private static final int THREADS = 8;

  private final ControlPlane controlPlane;
  private final Cluster cluster;
  private final List<String> names;
  private final List<Node> nodes;
  private final Duration gone;
  private final List<String> policies = new ArrayList<>();

  /** Nodes {@code prefix-0000} and so on, with the label {@code fleet=prefix}. */
  public SimulatedNodes(ControlPlane controlPlane, String prefix, int size) {
    this(controlPlane, prefix, size, index -> Map.of());
  }

  /** Nodes as above, with additional labels per index. */
  public SimulatedNodes(
      ControlPlane controlPlane, String prefix, int size, IntFunction<Map<String, String>> labels) {
    this.controlPlane = controlPlane;
    cluster = new Cluster(controlPlane);
    gone = Duration.ofSeconds(60 + size / 20);
    names = IntStream.range(0, size).mapToObj(index -> name(prefix, index)).toList();
    nodes =
        IntStream.range(0, size)
            .mapToObj(index -> node(prefix, index, labels.apply(index)))
            .toList();
    create();
  }

  private void create() {
    InParallel.forEach(nodes, THREADS, node -> controlPlane.client().resource(node).create());
  }

  /** Ends the policies, and recreates every Node as it was at the start. */
  public void renew() {
    removePolicies();
    delete();
    create();
  }

  private void delete() {
    InParallel.forEach(
        names, THREADS, name -> controlPlane.client().nodes().withName(name).delete());
  }

  private static String name(String prefix, int index) {
    return String.format(Locale.ROOT, "%s-%04d", prefix, index);
  }

  private static Node node(String prefix, int index, Map<String, String> labels) {
    return new NodeBuilder()
        .withNewMetadata()
        .withName(name(prefix, index))
        .addToLabels("fleet", prefix)
        .addToLabels(labels)
        .endMetadata()
        .build();
  }

  public List<String> names() {
    return names;
  }

  /** Applies a policy with this rate in packets per second to all nodes. */
  public void apply(String policy, long rate) {
    apply(
        policy,
        "{nodeSelector: {matchLabels: {fleet: %s}}, rate: {packetsPerSecond: %d},"
                .formatted(names.get(0).replaceAll("-.*", ""), rate)
            + " rollout: {maxConcurrent: 100%}}");
  }

  /** Applies a policy with this spec. */
  public void apply(String policy, String spec) {
    if (!policies.contains(policy)) {
      policies.add(policy);
    }
    cluster.apply(
        "{apiVersion: tokenbucket.dev/v1alpha1, kind: TokenBucketPolicy, metadata: {name: %s}, spec: %s}"
            .formatted(policy, spec));
  }

  /** Waits until the condition is True for the policy's present generation. */
  public void awaitProgrammed(String policy) {
    cluster.kubectl("wait", "--for=condition=Programmed", "--timeout=50s", "tbp/" + policy);
  }

  /** The existing node states. */
  public List<TokenBucketNodeState> states() {
    return controlPlane.client().resources(TokenBucketNodeState.class).list().getItems();
  }

  /** Sets a label of a node; null removes it. */
  public void label(int index, String key, @Nullable String value) {
    controlPlane
        .client()
        .nodes()
        .withName(names.get(index))
        .patch(
            PatchContext.of(PatchType.JSON_MERGE),
            "{\"metadata\": {\"labels\": {\"%s\": %s}}}"
                .formatted(key, value == null ? "null" : '"' + value + '"'));
  }

  /** Sets labels of every node, several nodes at a time. */
  public void relabel(IntFunction<Map<String, String>> labels) {
    InParallel.forEach(
        IntStream.range(0, names.size()).boxed().toList(),
        THREADS,
        index -> labels.apply(index).forEach((key, value) -> label(index, key, value)));
  }

  /** Deletes the applied policies, and waits until no policy and no node state is left. */
  public void removePolicies() {
    for (String policy : policies) {
      cluster.kubectl("delete", "tbp", policy, "--ignore-not-found", "--wait=false");
    }
    policies.clear();
    Poll.until(
        "end of the policies", gone, () -> cluster.kubectl("get", "tbp", "-o", "name").isBlank());
    Poll.until(
        "end of the node states",
        gone,
        () -> states().isEmpty(),
        () -> cluster.kubectl("get", "tbns", "-o", "yaml", "--show-managed-fields=false"));
  }

  @Override
  public void close() {
    try {
      removePolicies();
    } finally {
      // The nodes would disturb the next test, regardless of this one's outcome.
      delete();
    }
  }
}

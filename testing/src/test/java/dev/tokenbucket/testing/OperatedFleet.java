// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicyStatus;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.NodeConditionBuilder;
import io.fabric8.kubernetes.api.model.NodeStatus;
import io.fabric8.kubernetes.api.model.NodeSystemInfoBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A real operator on a real API server, with nodes and agents that are simulated. */
final class OperatedFleet implements AutoCloseable {
  private final KubernetesClient client;
  private final Cluster cluster;
  private final Path log;
  private final Map<String, String> environment;
  private Daemon operator;
  final SimulatedNodes nodes;
  final SimulatedAgents agents;

  /**
   * Starts it.
   *
   * @param environment of the operator, beside its identity, by which a successor goes on at once
   *     with the lease
   */
  OperatedFleet(
      ControlPlane controlPlane,
      String prefix,
      int size,
      Path work,
      Map<String, String> environment) {
    client = controlPlane.client();
    cluster = new Cluster(controlPlane);
    log = work.resolve("operator.log");
    this.environment = new HashMap<>(environment);
    this.environment.put("POD_NAME", "operator-" + prefix);
    nodes = new SimulatedNodes(controlPlane, prefix, size);
    agents = SimulatedAgents.start(controlPlane);
    operator = start();
  }

  private Daemon start() {
    return cluster.startOperator(log, Daemon.Lifetime.WITH_PARENT, environment);
  }

  /** kill -9, and a successor. */
  void restartOperator() {
    if (operator.isAlive()) {
      operator.kill();
    }
    operator = start();
  }

  void killOperator() {
    operator.kill();
  }

  String node(int index) {
    return nodes.names().get(index);
  }

  /** Applies a policy for all nodes. */
  void apply(String policy, long rate, String rollout) {
    apply(policy, "rate: {packetsPerSecond: %d}, rollout: %s".formatted(rate, rollout));
  }

  /** The same, with any fields of the spec but the selector. */
  void apply(String policy, String fields) {
    nodes.apply(
        policy,
        "{nodeSelector: {matchLabels: {fleet: %s}}, %s}"
            .formatted(node(0).replaceAll("-.*", ""), fields));
  }

  String kubectl(String... arguments) {
    return cluster.kubectl(arguments);
  }

  TokenBucketPolicy policy(String name) {
    return client.resources(TokenBucketPolicy.class).withName(name).get();
  }

  /** Condition, status and reason, for what a test waits for; empty where there is none yet. */
  String condition(String policy, String type) {
    Condition found = find(policy, type);
    return found == null ? "" : found.getStatus() + " " + found.getReason();
  }

  String message(String policy, String type) {
    return Objects.requireNonNull(find(policy, type)).getMessage();
  }

  private @Nullable Condition find(String policy, String type) {
    TokenBucketPolicy there = policy(policy);
    TokenBucketPolicyStatus status = there == null ? null : there.getStatus();
    return status == null || status.conditions() == null
        ? null
        : status.conditions().stream()
            .filter(c -> c.getType().equals(type))
            .filter(c -> c.getObservedGeneration().equals(there.getMetadata().getGeneration()))
            .findFirst()
            .orElse(null);
  }

  TokenBucketNodeState state(int index) {
    return client.resources(TokenBucketNodeState.class).withName(node(index)).get();
  }

  boolean hasState(int index) {
    return state(index) != null;
  }

  List<NodePolicy> entries(int index) {
    TokenBucketNodeState state = state(index);
    return state == null ? List.of() : state.getSpec().policies();
  }

  /** Each node's rate by the spec of its node state, for nodes that have the policy. */
  Map<String, Long> rates(String policy) {
    Map<String, Long> rates = new TreeMap<>();
    for (TokenBucketNodeState state : nodes.states()) {
      state.getSpec().policies().stream()
          .filter(entry -> entry.name().equals(policy))
          .forEach(entry -> rates.put(state.getMetadata().getName(), entry.rate()));
    }
    return rates;
  }

  void setReady(int index, boolean ready, Instant since) {
    client
        .nodes()
        .withName(node(index))
        .editStatus(
            node -> {
              NodeStatus status = node.getStatus() == null ? new NodeStatus() : node.getStatus();
              status.setConditions(
                  List.of(
                      new NodeConditionBuilder()
                          .withType("Ready")
                          .withStatus(ready ? "True" : "Unknown")
                          .withLastTransitionTime(since.toString())
                          .build()));
              node.setStatus(status);
              return node;
            });
  }

  /** The boot that a node's kubelet tells of. */
  void setBoot(int index, String boot) {
    client
        .nodes()
        .withName(node(index))
        .editStatus(
            node -> {
              NodeStatus status = node.getStatus() == null ? new NodeStatus() : node.getStatus();
              status.setNodeInfo(new NodeSystemInfoBuilder().withBootID(boot).build());
              node.setStatus(status);
              return node;
            });
  }

  /** The Events of a policy, each as its reason and how often. */
  Map<String, Integer> events(String policy, String uid) {
    Map<String, Integer> reasons = new TreeMap<>();
    for (Event event : client.v1().events().inNamespace("default").list().getItems()) {
      if (event.getInvolvedObject().getName().equals(policy)
          && uid.equals(event.getInvolvedObject().getUid())) {
        reasons.merge(event.getReason(), 1, Integer::sum);
      }
    }
    return reasons;
  }

  /** Prepares the next test: agents that answer, new nodes, a running operator, no policy. */
  void reset() {
    if (!operator.isAlive()) {
      operator = start();
    }
    agents.reset();
    try {
      nodes.renew();
    } catch (StepFailedException e) {
      throw new StepFailedException(e.getMessage() + "\n" + operator.log(), e);
    }
  }

  @Override
  public void close() {
    agents.reset();
    try {
      nodes.close();
    } catch (StepFailedException e) {
      throw new StepFailedException(e.getMessage() + "\n" + operator.log(), e);
    } finally {
      operator.close();
      agents.close();
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.NodeLimits;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicyStatus;
import dev.tokenbucket.operator.plan.EntryFacts;
import dev.tokenbucket.operator.plan.NodeStatePlanner;
import dev.tokenbucket.operator.plan.PolicyIntent;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random changes while the operator is killed again and again and the agents of some nodes are
 * silent. The node states end as the planner computes them from the API's objects. {@code
 * -Dconvergence.nodes}, {@code .silent} (percent), {@code .seconds} and {@code .seed} change the
 * size; {@code make bench-scale} runs this with 5,000 nodes for two minutes.
 */
@ExtendWith(ControlPlaneExtension.class)
class ConvergenceTest {
  private static final int NODES = Integer.getInteger("convergence.nodes", 150);
  private static final int SILENT_PERCENT = Integer.getInteger("convergence.silent", 30);
  private static final int SECONDS = Integer.getInteger("convergence.seconds", 25);
  private static final long SEED = Long.getLong("convergence.seed", 6);
  private static final Duration KILL_EVERY = Duration.ofSeconds(10);
  private static final Duration STEP = Duration.ofMillis(250);
  private static final Duration CONVERGED = Duration.ofMinutes(4 + NODES / 500);
  private static final Map<String, String> OPERATOR =
      Map.of("TOKENBUCKET_AGENT_START", "5s", "TOKENBUCKET_DELETION_TIMEOUT", "5s");
  private static final int GROUPS = 5;
  private static final int MOST_POLICIES = 12;

  private final Random random = new Random(SEED);
  private final List<String> policies = new ArrayList<>();
  private int made;

  @Test
  void whatIsLeftIsWhatThePlannerSays(ControlPlane controlPlane, @TempDir Path work) {
    Cluster cluster = new Cluster(controlPlane);
    try (SimulatedNodes nodes =
            new SimulatedNodes(controlPlane, "chaos", NODES, index -> Map.of("group", group()));
        SimulatedAgents agents = SimulatedAgents.start(controlPlane);
        OperatorPod operator =
            new OperatorPod(cluster, "chaos", work.resolve("operator.log"), OPERATOR)) {
      Set<String> silent = silent(nodes);
      silent.forEach(agents::silence);
      Poll.until("operator", () -> operator.operator() != null);
      changeAtRandom(nodes, cluster, operator);
      Poll.until("a start after a kill", CONVERGED, () -> operator.starts() > 1);

      KubernetesClient client = controlPlane.client();
      Map<String, List<NodePolicy>> planned = planned(client);
      awaitAgreement(agents, planned, silent);
      awaitReports(client, planned, silent);
      silent.forEach(agents::speak);
      awaitAgreement(agents, planned, Set.of());
      awaitReports(client, planned, Set.of());
      // The result stays: no further change was under way.
      Daemon.pause(Duration.ofSeconds(3));
      assertThat(found(agents)).isEqualTo(planned(client));
      assertThat(agents.states()).allSatisfy(ConvergenceTest::assertConfirmed);
      policies.forEach(policy -> cluster.kubectl("delete", "tbp", policy, "--wait=false"));
      nodes.removePolicies();
    }
  }

  /** Spread over the groups that nodes are relabelled to. */
  private static Set<String> silent(SimulatedNodes nodes) {
    return IntStream.range(0, NODES)
        .filter(index -> index / GROUPS % 10 * 10 < SILENT_PERCENT)
        .mapToObj(nodes.names()::get)
        .collect(Collectors.toUnmodifiableSet());
  }

  private static void awaitAgreement(
      SimulatedAgents agents, Map<String, List<NodePolicy>> planned, Set<String> silent) {
    Map<String, List<NodePolicy>> expected = without(planned, silent);
    Poll.until(
        "agreement of planner and cluster (seed " + SEED + ")",
        CONVERGED,
        () -> without(found(agents), silent).equals(expected));
  }

  private static <V> Map<String, V> without(Map<String, V> byNode, Set<String> nodes) {
    Map<String, V> others = new TreeMap<>(byNode);
    others.keySet().removeAll(nodes);
    return others;
  }

  private static void awaitReports(
      KubernetesClient client, Map<String, List<NodePolicy>> planned, Set<String> silent) {
    Map<String, Long> selected = selected(planned);
    Map<String, Long> speaking = selected(without(planned, silent));
    Poll.until(
        "report of every policy",
        CONVERGED,
        () -> policies(client).stream().allMatch(each -> reports(each, selected, speaking)),
        () -> policies(client).stream().map(TokenBucketPolicy::getStatus).toList().toString());
  }

  private void changeAtRandom(SimulatedNodes nodes, Cluster cluster, OperatorPod operator) {
    long start = System.nanoTime();
    long end = start + Duration.ofSeconds(SECONDS).toNanos();
    long kill = start + KILL_EVERY.toNanos();
    boolean relabelled = false;
    while (System.nanoTime() < end) {
      step(nodes, cluster);
      if (!relabelled && System.nanoTime() - start > (end - start) / 3) {
        relabelled = true;
        nodes.relabel(index -> Map.of("group", "g" + index % GROUPS));
      }
      if (System.nanoTime() > kill) {
        kill += KILL_EVERY.toNanos();
        operator.kill();
      }
      Daemon.pause(STEP);
    }
  }

  private void step(SimulatedNodes nodes, Cluster cluster) {
    int die = random.nextInt(10);
    if (policies.isEmpty() || (die < 3 && policies.size() < MOST_POLICIES)) {
      String name = "chaos-" + made++;
      policies.add(name);
      cluster.apply(policy(name));
    } else if (die < 5) {
      String name = policies.remove(random.nextInt(policies.size()));
      cluster.kubectl("delete", "tbp", name, "--wait=false");
    } else if (die < 8) {
      cluster.apply(policy(policies.get(random.nextInt(policies.size()))));
    } else {
      nodes.label(random.nextInt(NODES), "group", group());
    }
  }

  private String group() {
    synchronized (random) {
      return "g" + random.nextInt(GROUPS);
    }
  }

  private String policy(String name) {
    String selector =
        switch (random.nextInt(4)) {
          case 0 -> "{}";
          case 1 -> "{matchLabels: {group: %s}}".formatted(group());
          case 2 ->
              "{matchExpressions: [{key: group, operator: NotIn, values: [%s]}]}"
                  .formatted(group());
          default ->
              "{matchExpressions: [{key: group, operator: In, values: [%s, %s]}]}"
                  .formatted(group(), group());
        };
    return String.format(
        Locale.ROOT,
        "{apiVersion: tokenbucket.dev/v1alpha1, kind: TokenBucketPolicy, metadata: {name: %s},"
            + " spec: {nodeSelector: %s, priority: %d, rate: {packetsPerSecond: %d}, rollout:"
            + " {maxConcurrent: %d%%}}}",
        name,
        selector,
        random.nextInt(1_000),
        1 + random.nextInt(1_000_000),
        20 + random.nextInt(80));
  }

  /** The planner's entries per node, for the objects in the API. */
  private static Map<String, List<NodePolicy>> planned(KubernetesClient client) {
    List<PolicyIntent> intents =
        client.resources(TokenBucketPolicy.class).list().getItems().stream()
            .map(PolicyIntent::of)
            .toList();
    NodeStatePlanner planner = new NodeStatePlanner(EntryFacts.computed());
    Map<String, List<NodePolicy>> plans = new TreeMap<>();
    for (Node node : client.nodes().list().getItems()) {
      List<NodePolicy> entries =
          planner
              .planAll(node.getMetadata().getLabels(), intents, List.of(), NodeLimits.DEFAULT)
              .entries();
      if (!entries.isEmpty()) {
        plans.put(node.getMetadata().getName(), entries);
      }
    }
    return plans;
  }

  /** The entries of the node states, per node; a node with nothing to run has no state. */
  private static Map<String, List<NodePolicy>> found(SimulatedAgents agents) {
    Map<String, List<NodePolicy>> found = new TreeMap<>();
    agents
        .states()
        .forEach(state -> found.put(state.getMetadata().getName(), state.getSpec().policies()));
    return found;
  }

  private static List<TokenBucketPolicy> policies(KubernetesClient client) {
    return client.resources(TokenBucketPolicy.class).list().getItems();
  }

  /** The number of selected nodes per policy. */
  private static Map<String, Long> selected(Map<String, List<NodePolicy>> planned) {
    Map<String, Long> selected = new TreeMap<>();
    planned
        .values()
        .forEach(entries -> entries.forEach(entry -> selected.merge(entry.uid(), 1L, Long::sum)));
    return selected;
  }

  /**
   * A policy's status belongs to its generation, counts the nodes with an agent as programmed, and
   * reports the others.
   */
  private static boolean reports(
      TokenBucketPolicy policy, Map<String, Long> selected, Map<String, Long> speaking) {
    TokenBucketPolicyStatus status = policy.getStatus();
    long desired = selected.getOrDefault(policy.getMetadata().getUid(), 0L);
    long programmed = speaking.getOrDefault(policy.getMetadata().getUid(), 0L);
    return policy.getMetadata().getDeletionTimestamp() == null
        && status != null
        && status.nodes() != null
        && policy.getMetadata().getGeneration().equals(status.observedGeneration())
        && status.nodes().desired() == desired
        && status.nodes().programmed() == programmed
        && status.nodes().unknown() == desired - programmed
        && (desired == programmed || tellsOfSilent(status, desired - programmed, desired));
  }

  private static boolean tellsOfSilent(TokenBucketPolicyStatus status, long silent, long all) {
    String message =
        "no agent answers on %d of %d node%s: ".formatted(silent, all, all == 1 ? "" : "s");
    return Objects.requireNonNull(status.conditions()).stream()
        .filter(condition -> condition.getReason().equals(Reasons.NO_AGENT))
        .filter(condition -> condition.getMessage().startsWith(message))
        .map(Condition::getType)
        .collect(Collectors.toSet())
        .containsAll(Set.of(Reasons.PROGRAMMED, Reasons.DEGRADED, Reasons.READY));
  }

  private static void assertConfirmed(TokenBucketNodeState state) {
    assertThat(state.getStatus().observedGeneration())
        .isEqualTo(state.getMetadata().getGeneration());
    assertThat(state.getStatus().policies())
        .hasSameSizeAs(state.getSpec().policies())
        .allMatch(NodePolicyStatus::programmed);
  }
}

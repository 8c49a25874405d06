// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.scale;

import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.testing.Cluster;
import dev.tokenbucket.testing.ControlPlane;
import dev.tokenbucket.testing.Daemon;
import dev.tokenbucket.testing.SimulatedAgents;
import dev.tokenbucket.testing.SimulatedNodes;
import dev.tokenbucket.testing.StepFailedException;
import dev.tokenbucket.testing.scale.ScaleResult.Change;
import dev.tokenbucket.testing.scale.ScaleResult.Size;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The measurement for one number of nodes, on its own control plane. */
final class ScaleRun implements AutoCloseable {
  private static final Duration CHANGE = Duration.ofMinutes(10);
  private static final Duration QUIET = Duration.ofSeconds(3);
  private static final Duration PERIOD = Duration.ofMillis(100);
  private static final int PROGRAMMED_EVERY = 5;

  private final ControlPlane controlPlane;
  private final Cluster cluster;
  private final Path folder;
  private final ScalePolicies policies;
  private final int nodes;
  private final OperatorProbe probe = new OperatorProbe();
  private final SharedIndexInformer<TokenBucketPolicy> seen;
  private Daemon operator;
  private int starts;

  ScaleRun(Path folder, ScalePolicies policies, int nodes) {
    this.folder = folder;
    this.policies = policies;
    this.nodes = nodes;
    controlPlane = ControlPlane.start(folder, Daemon.Lifetime.WITH_PARENT);
    cluster = new Cluster(controlPlane);
    cluster.install();
    seen = controlPlane.client().resources(TokenBucketPolicy.class).inform();
    operator = startOperator();
  }

  private Daemon startOperator() {
    return cluster.startOperator(
        folder.resolve("operator-" + starts++ + ".log"),
        Daemon.Lifetime.WITH_PARENT,
        Map.of("POD_NAME", "scale"));
  }

  Size measure(Duration steady) {
    awaitQuiet();
    double idle = operatorUsage().rssMegabytes();
    say("operator idle at %.0f MB; making %,d nodes", idle, nodes);
    SimulatedNodes made = new SimulatedNodes(controlPlane, "scale", nodes, ScalePolicies::labels);
    try (SimulatedAgents agents = SimulatedAgents.start(controlPlane)) {
      agents.prepare(made.names());
      awaitQuiet();
      say("applying %d policies, %.1f a node", policies.all(), policies.entriesPerNode());
      Change applied =
          change(agents, policies.entriesPerNode(), () -> cluster.apply(policies.manifest()));
      say("changing a policy that selects every node");
      Change changed = change(agents, 1, () -> cluster.apply(policies.manifest(0, 2_000)));
      say("relabelling every node");
      Change relabelled =
          change(agents, 1, () -> made.relabel(index -> ScalePolicies.labels(index + 1)));
      awaitQuiet();
      Usage end = operatorUsage();
      say("restarting the operator");
      Writes before = writes();
      operator.kill();
      long start = System.nanoTime();
      operator = startOperator();
      double restart = awaitQuiet() - start / 1e9;
      Writes restartWrites = writes().since(before);
      say("leaving it alone for %d s", steady.toSeconds());
      Writes quiet = writes();
      Daemon.pause(steady);
      Writes steadyWrites = writes().since(quiet);
      return new Size(
          nodes,
          policies.all(),
          policies.entriesPerNode(),
          idle,
          applied,
          changed,
          relabelled,
          end.rssMegabytes(),
          Math.max(end.peakMegabytes(), operatorUsage().peakMegabytes()),
          restart,
          restartWrites,
          steady.toSeconds(),
          steadyWrites);
    }
  }

  private Change change(SimulatedAgents agents, double changesPerNode, Runnable action) {
    Writes writes = writes();
    Usage operatorBefore = operatorUsage();
    Usage apiServer = Usage.of(controlPlane.apiServerPid());
    Usage etcd = Usage.of(controlPlane.etcdPid());
    long start = System.nanoTime();
    action.run();
    long applied = System.nanoTime();
    double lastNode = 0;
    double programmed = 0;
    for (int i = 0; programmed == 0; i++) {
      if (lastNode == 0 && everyNodeReports(agents)) {
        lastNode = seconds(start);
      }
      if (i % PROGRAMMED_EVERY == 0 && everyPolicyIsProgrammed()) {
        programmed = seconds(start);
        lastNode = lastNode == 0 ? programmed : lastNode;
      }
      if (System.nanoTime() - start > CHANGE.toNanos()) {
        throw new StepFailedException("not programmed within " + CHANGE, null);
      }
      Daemon.pause(PERIOD);
    }
    say(
        "  kubectl took %.1f s, the last node %.1f s, Programmed=True %.1f s",
        (applied - start) / 1e9, lastNode, programmed);
    awaitQuiet();
    Writes since = writes().since(writes);
    return new Change(
        lastNode,
        programmed,
        since,
        since.nodeStates() / changesPerNode / nodes,
        since.nodeStatuses() / changesPerNode / nodes,
        Usage.of(controlPlane.apiServerPid()).cpuSeconds() - apiServer.cpuSeconds(),
        Usage.of(controlPlane.etcdPid()).cpuSeconds() - etcd.cpuSeconds(),
        operatorUsage().cpuSeconds() - operatorBefore.cpuSeconds());
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  /**
   * Whether each node reports that its kernel runs the current generation of every policy that
   * selects it.
   */
  private boolean everyNodeReports(SimulatedAgents agents) {
    Map<String, Integer> reported = new HashMap<>();
    for (TokenBucketNodeState state : agents.states()) {
      List<NodePolicyStatus> entries =
          state.getStatus() == null || state.getStatus().policies() == null
              ? List.of()
              : state.getStatus().policies();
      for (NodePolicyStatus entry : entries) {
        if (entry.programmed()) {
          reported.merge(entry.uid() + "/" + entry.generation(), 1, Integer::sum);
        }
      }
    }
    List<TokenBucketPolicy> all = policies();
    for (int i = 0; i < all.size(); i++) {
      String key =
          all.get(i).getMetadata().getUid() + "/" + all.get(i).getMetadata().getGeneration();
      if (reported.getOrDefault(key, 0) != policies.selected(i, nodes)) {
        return false;
      }
    }
    return all.size() == policies.all();
  }

  private boolean everyPolicyIsProgrammed() {
    List<TokenBucketPolicy> all = policies();
    return all.size() == policies.all() && all.stream().allMatch(this::isProgrammed);
  }

  private boolean isProgrammed(TokenBucketPolicy policy) {
    List<Condition> conditions =
        policy.getStatus() == null ? null : policy.getStatus().conditions();
    return conditions != null
        && conditions.stream()
            .anyMatch(
                each ->
                    each.getType().equals("Programmed")
                        && each.getStatus().equals("True")
                        && policy
                            .getMetadata()
                            .getGeneration()
                            .equals(each.getObservedGeneration()));
  }

  /**
   * The policies by name, which is the order of their creation. They are watched, so that looking
   * at them costs nothing.
   */
  private List<TokenBucketPolicy> policies() {
    return seen.getStore().list().stream()
        .sorted(Comparator.comparing(each -> each.getMetadata().getName()))
        .toList();
  }

  private Writes writes() {
    return Writes.counted(Exposition.of(controlPlane.client().raw("/metrics")));
  }

  private Usage operatorUsage() {
    return Usage.of(operator.pid());
  }

  /**
   * Waits until the operator leads and has had nothing to do for some seconds.
   *
   * @return the beginning of that quiet time, in seconds of {@link System#nanoTime()}
   */
  private double awaitQuiet() {
    long end = System.nanoTime() + CHANGE.toNanos();
    long since = System.nanoTime();
    double count = -1;
    while (System.nanoTime() - since < QUIET.toNanos()) {
      double now = probe.reconciliations(operator);
      if (now != count || !probe.steady(operator)) {
        count = now;
        since = System.nanoTime();
      }
      if (System.nanoTime() > end) {
        throw new StepFailedException("the operator is not quiet after " + CHANGE, null);
      }
      Daemon.pause(PERIOD);
    }
    return since / 1e9;
  }

  private static void say(String format, Object... values) {
    System.out.printf(java.util.Locale.ROOT, format + "%n", values);
  }

  @Override
  public void close() {
    seen.close();
    operator.close();
    controlPlane.close();
  }
}

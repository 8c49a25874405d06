package dev.tokenbucket.testing.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.testing.Arrivals;
import dev.tokenbucket.testing.Daemon;
import dev.tokenbucket.testing.Poll;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Predicate;

/** What may happen to a node and to who looks after it; the limit is that of before, always. */
record TroubleCase(RealNodes nodes) {
  private static final int RATE = 1_000;
  private static final String POLICY = "lasting";
  private static final Duration API_SERVER_AWAY = Duration.ofSeconds(60);

  void begin() {
    nodes.apply(POLICY, RATE, "");
    nodes.awaitInForce(POLICY);
  }

  void agentPodDeleted(ClusterNode node) {
    Agent before = nodes.awaitAgent(node);
    underLoad(
        "agent's pod deleted",
        node,
        10,
        () -> nodes.kubectl("delete", "pod", "-n", Helm.NAMESPACE, before.pod()));
    awaitOther(node, agent -> !agent.uid().equals(before.uid()));
  }

  void agentKilled(ClusterNode node) {
    Agent before = nodes.awaitAgent(node);
    underLoad("agent killed with -9", node, 8, () -> kill(before));
    awaitOther(node, agent -> agent.restarts() > before.restarts());
  }

  private static void kill(Agent agent) {
    ProcessHandle.of(agent.process()).orElseThrow().destroyForcibly();
  }

  /** The container may take no memory beyond what it has; then it needs some. */
  void agentOutOfMemory(ClusterNode node) {
    Agent before = nodes.awaitAgent(node);
    underLoad(
        "agent out of memory",
        node,
        8,
        () -> {
          MemoryLimit.ofContainer(before.process()).toWhatIsUsed();
          nodes.tryTb(node, "status");
          Poll.until("end of the agent", () -> ended(before));
        });
    awaitOther(node, agent -> agent.restarts() > before.restarts());
    Pod pod = Objects.requireNonNull(nodes.agentPod(node));
    ContainerStatus container = pod.getStatus().getContainerStatuses().get(0);
    assertThat(container.getLastState().getTerminated().getReason()).isEqualTo("OOMKilled");
  }

  private static boolean ended(Agent agent) {
    return ProcessHandle.of(agent.process()).map(process -> !process.isAlive()).orElse(true);
  }

  void kubeletStoppedAndStarted(ClusterNode node) {
    Agent before = nodes.awaitAgent(node);
    underLoad(
        "kubelet stopped and started",
        node,
        25,
        () -> {
          node.stopKubelet();
          Poll.until(
              "NotReady of " + node.name(), RealNodes.MINUTE, () -> !nodes.cluster().isReady(node));
          // who enforces is the agent, whatever the kubelet is
          nodes.apply(POLICY, RATE, "  priority: 7\n");
          nodes.awaitInForce(POLICY);
          node.startKubelet();
          nodes.cluster().awaitReady(node);
        });
    assertThat(nodes.awaitAgent(node).container()).isEqualTo(before.container());
  }

  /** An agent that starts meanwhile has nobody to ask, and takes nothing away. */
  void apiServerAway(ClusterNode node) {
    Agent before = nodes.awaitAgent(node);
    underLoad(
        "API server away",
        node,
        API_SERVER_AWAY.toSeconds(),
        () -> {
          long end = System.nanoTime() + API_SERVER_AWAY.toNanos();
          nodes.cluster().controlPlane().stopApiServer();
          kill(before);
          while (System.nanoTime() < end) {
            Daemon.pause(Duration.ofSeconds(1));
          }
          nodes.cluster().controlPlane().startApiServer();
        });
    awaitOther(node, agent -> agent.restarts() > before.restarts());
    nodes.apply(POLICY, RATE, "  priority: 8\n");
    nodes.awaitInForce(POLICY);
  }

  /** While the node is off the policy is said not to be in force there; afterwards it is. */
  void nodeRebooted(ClusterNode node) {
    node.stop();
    Poll.until(
        "NotReady of " + node.name(), RealNodes.MINUTE, () -> !nodes.cluster().isReady(node));
    int newRate = 2 * RATE;
    nodes.apply(POLICY, newRate, "");
    Poll.until(
        "word of the node that is off", () -> nodes.programmed(POLICY).contains("not Ready"));
    System.out.println("while the node is off: " + nodes.programmed(POLICY));

    long start = System.nanoTime();
    node.start();
    nodes.cluster().awaitReady(node);
    double ready = (System.nanoTime() - start) / 1e9;
    nodes.awaitInForce(POLICY);
    double inForce = (System.nanoTime() - start) / 1e9;
    System.out.printf(
        "%s rebooted: Ready after %.1f s, its limits in force after %.1f s%n",
        node.name(), ready, inForce);
    assertThat(nodes.arriving(node, 4 * newRate, 2))
        .isBetween(newRate * 0.99, Arrivals.atMost(newRate, RealNodes.BURST, 2));
  }

  void end() {
    nodes.removePolicies();
  }

  private void underLoad(String what, ClusterNode node, double seconds, Runnable trouble) {
    RealNodes.Load load = nodes.load(node, RATE, seconds);
    trouble.run();
    load.judge(what);
  }

  private void awaitOther(ClusterNode node, Predicate<Agent> other) {
    Poll.until(
        "another agent on " + node.name(),
        Duration.ofMinutes(2),
        () -> nodes.agent(node).filter(other).isPresent());
    assertThat(nodes.summary(POLICY)).isEqualTo("in force");
  }
}

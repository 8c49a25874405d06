// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.testing.Daemon;
import dev.tokenbucket.testing.Poll;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.function.Predicate;

/**
 * Failures of a node and of the components that manage it. The limit survives each of them, and is
 * back after a reboot.
 */
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
    RealNodes.Load load = nodes.load(node, RATE);
    nodes.kubectl("delete", "pod", "-n", Helm.NAMESPACE, before.pod());
    awaitOther(node, agent -> !agent.uid().equals(before.uid()));
    load.judge("agent's pod deleted");
  }

  void agentKilled(ClusterNode node) {
    Agent before = nodes.awaitAgent(node);
    RealNodes.Load load = nodes.load(node, RATE);
    kill(before);
    awaitOther(node, agent -> agent.restarts() > before.restarts());
    load.judge("agent killed with -9");
  }

  private static void kill(Agent agent) {
    ProcessHandle.of(agent.process()).orElseThrow().destroyForcibly();
  }

  /** Lets the container take no memory beyond what it has, and then makes it need some. */
  void agentOutOfMemory(ClusterNode node) {
    Agent before = nodes.awaitAgent(node);
    RealNodes.Load load = nodes.load(node, RATE);
    MemoryLimit.ofContainer(before.process()).toWhatIsUsed();
    nodes.tryTb(node, "status");
    Poll.until("end of the agent", () -> ended(before));
    awaitOther(node, agent -> agent.restarts() > before.restarts());
    load.judge("agent out of memory");
    Pod pod = Objects.requireNonNull(nodes.agentPod(node));
    ContainerStatus container = pod.getStatus().getContainerStatuses().get(0);
    assertThat(container.getLastState().getTerminated().getReason()).isEqualTo("OOMKilled");
  }

  private static boolean ended(Agent agent) {
    return ProcessHandle.of(agent.process()).map(process -> !process.isAlive()).orElse(true);
  }

  void kubeletStoppedAndStarted(ClusterNode node) {
    Agent before = nodes.awaitAgent(node);
    RealNodes.Load load = nodes.load(node, RATE);
    node.stopKubelet();
    awaitNotReady(node);
    nodes.apply(POLICY, RATE, "  priority: 7\n");
    awaitWordOfNotReady();
    node.startKubelet();
    nodes.cluster().awaitReady(node);
    nodes.awaitInForce(POLICY);
    load.judge("kubelet stopped and started");
    assertThat(nodes.awaitAgent(node).container()).isEqualTo(before.container());
  }

  private void awaitWordOfNotReady() {
    Poll.until(
        "word of a node that is not Ready", () -> nodes.programmed(POLICY).contains("not Ready"));
    System.out.println("meanwhile the policy's status is " + nodes.programmed(POLICY));
  }

  private void awaitNotReady(ClusterNode node) {
    Poll.until(
        node.name() + " found NotReady", RealNodes.MINUTE, () -> !nodes.cluster().isReady(node));
  }

  /** An agent that starts while the API server is away cannot ask anybody, and removes nothing. */
  void apiServerAway(ClusterNode node) {
    Agent before = nodes.awaitAgent(node);
    RealNodes.Load load = nodes.load(node, RATE);
    nodes.cluster().stopApiServer();
    kill(before);
    Daemon.pause(API_SERVER_AWAY);
    nodes.cluster().startApiServer();
    awaitOther(node, agent -> agent.restarts() > before.restarts());
    load.judge("API server away for " + API_SERVER_AWAY.toSeconds() + " s");
    // The controller manager considers the nodes NotReady until their kubelets report again.
    nodes.cluster().nodes().forEach(nodes.cluster()::awaitReady);
    nodes.apply(POLICY, RATE, "  priority: 8\n");
    nodes.awaitInForce(POLICY);
  }

  /**
   * While the node is off, the policy's status says that it is not in force there; afterwards it is
   * in force. The time until the hook is back is printed beside the start of another pod of the
   * node.
   */
  void nodeRebooted(ClusterNode node) {
    Bystander bystander = Bystander.start(nodes, node);
    node.stop();
    Poll.until(
        "NotReady of " + node.name(), RealNodes.MINUTE, () -> !nodes.cluster().isReady(node));
    int newRate = 2 * RATE;
    nodes.apply(POLICY, newRate, "");
    awaitWordOfNotReady();

    Instant start = Instant.now();
    node.start();
    Poll.until("a hook on " + node.name(), RealNodes.MINUTE, node::hasHook);
    double hooked = secondsSince(start, Instant.now());
    nodes.cluster().awaitReady(node);
    nodes.awaitInForce(POLICY);
    System.out.printf(
        "%s rebooted: limits are back after %.1f s, another of its pods after %.1f s; in force, as"
            + " the status has it, after %.1f s%n",
        node.name(),
        hooked,
        secondsSince(start, bystander.awaitStarted()),
        secondsSince(start, Instant.now()));
    nodes.assertLimited(node, newRate, 2);
    bystander.remove();
  }

  private static double secondsSince(Instant start, Instant end) {
    return Duration.between(start, end).toMillis() / 1e3;
  }

  void end() {
    nodes.removePolicies();
  }

  private void awaitOther(ClusterNode node, Predicate<Agent> other) {
    Poll.until(
        "another agent on " + node.name(),
        Duration.ofMinutes(2),
        () -> nodes.agent(node).filter(other).isPresent());
    assertThat(nodes.summary(POLICY)).isEqualTo("in force");
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.FailedNode;
import dev.tokenbucket.api.v1alpha1.NodeCounts;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.Reasons;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** How rollouts and statuses treat nodes that disappear and agents that don't answer. */
@ExtendWith({RequiresRoot.class, ControlPlaneExtension.class})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FleetHealthTest {
  private static final String POLICY = "watched";
  private static final String ONE_BY_ONE = "{maxConcurrent: 1, maxFailures: 0}";

  private ControlPlane controlPlane;
  private OperatedFleet fleet;

  @BeforeAll
  void start(ControlPlane controlPlane, @TempDir Path work) {
    this.controlPlane = controlPlane;
    fleet =
        new OperatedFleet(
            controlPlane,
            "health",
            4,
            work,
            Map.of(
                "TOKENBUCKET_AGENT_SILENCE",
                "10s",
                "TOKENBUCKET_AGENT_START",
                "3s",
                "TOKENBUCKET_DELETION_TIMEOUT",
                "3s"));
  }

  @AfterEach
  void reset() {
    fleet.reset();
  }

  @AfterAll
  void end() {
    fleet.close();
  }

  private void awaitProgrammed() {
    await(Reasons.PROGRAMMED, "True AllNodesProgrammed");
  }

  private void await(String type, String expected) {
    Poll.until(
        type + " " + expected,
        Duration.ofSeconds(40),
        () -> fleet.condition(POLICY, type).equals(expected),
        () -> String.valueOf(fleet.policy(POLICY).getStatus()));
  }

  private List<Long> generations() {
    return List.of(0, 1, 2, 3).stream()
        .map(i -> fleet.entries(i).stream().mapToLong(NodePolicy::generation).sum())
        .toList();
  }

  private String counted() {
    NodeCounts counts = fleet.policy(POLICY).getStatus().nodes();
    return counts == null ? "" : counts.summary();
  }

  private List<FailedNode> failedNodes() {
    return Objects.requireNonNull(fleet.policy(POLICY).getStatus().failedNodes());
  }

  @Test
  void aNodeThatGoesNotReadyBeforeItConfirmsCountsAsFailedAndNoOtherIsLetOn() {
    fleet.apply(POLICY, 100, ONE_BY_ONE);
    awaitProgrammed();
    fleet.agents.silence(fleet.node(0));
    fleet.apply(POLICY, 200, ONE_BY_ONE);
    Poll.until("the first node", () -> generations().equals(List.of(2L, 1L, 1L, 1L)));
    fleet.setReady(0, false, Instant.now());

    await(Reasons.DEGRADED, "True RolloutHalted");
    assertThat(failedNodes())
        .containsExactly(
            new FailedNode(
                "health-0000",
                "NodeNotReady",
                "the node is not Ready, and has not confirmed generation 2"));
    fleet.restartOperator();
    Daemon.pause(Duration.ofSeconds(2));
    assertThat(generations()).containsExactly(2L, 1L, 1L, 1L);

    fleet.setReady(0, true, Instant.now());
    fleet.agents.speak(fleet.node(0));
    awaitProgrammed();
  }

  @Test
  void aNodeThatGoesNotReadyWithinMinReadySecondsHaltsTheRolloutToo() {
    String rollout = "{maxConcurrent: 1, maxFailures: 0, minReadySeconds: %d}";
    fleet.apply(POLICY, 100, rollout.formatted(3600));
    Poll.until("the first node", () -> generations().equals(List.of(1L, 0L, 0L, 0L)));
    Daemon.pause(Duration.ofSeconds(2));
    assertThat(generations()).containsExactly(1L, 0L, 0L, 0L);
    assertThat(fleet.message(POLICY, Reasons.PROGRAMMED))
        .contains("1 of them for less than rollout.minReadySeconds, 3600");
    fleet.setReady(0, false, Instant.now());
    await(Reasons.DEGRADED, "True RolloutHalted");

    fleet.setReady(0, true, Instant.now());
    await(Reasons.DEGRADED, "False AsExpected");
    fleet.apply(POLICY, 100, rollout.formatted(1));
    awaitProgrammed();
  }

  @Test
  void nodesWithoutAnAgentHoldNoPlaceForLongAndTheConditionTellsOfThem() {
    fleet.agents.silence(fleet.node(0));
    fleet.agents.silence(fleet.node(1));
    fleet.apply(POLICY, 100, ONE_BY_ONE);
    await(Reasons.PROGRAMMED, "False NoAgent");
    assertThat(counted()).isEqualTo("2/4");
    assertThat(fleet.condition(POLICY, Reasons.DEGRADED)).isEqualTo("True NoAgent");
    assertThat(fleet.message(POLICY, Reasons.DEGRADED))
        .startsWith("no agent answers on 2 of 4 nodes: health-0000, health-0001");

    // The next change does not wait for these nodes. They receive it when their agents return.
    fleet.apply(POLICY, 200, ONE_BY_ONE);
    await(Reasons.PROGRAMMED, "False NoAgent");
    assertThat(counted()).isEqualTo("2/4");
    fleet.agents.speak(fleet.node(0));
    fleet.agents.speak(fleet.node(1));
    awaitProgrammed();
    assertThat(generations()).containsExactly(2L, 2L, 2L, 2L);
  }

  @Test
  void aDeletionDoesNotWaitForEverForAReadyNodeWhoseAgentIsSilent() {
    fleet.agents.beat(Duration.ofSeconds(1));
    fleet.apply(POLICY, 100, "{maxConcurrent: 100%}");
    awaitProgrammed();
    fleet.agents.silence(fleet.node(0));
    String uid = fleet.policy(POLICY).getMetadata().getUid();
    fleet.kubectl("delete", "tbp", POLICY, "--timeout=60s");
    assertThat(fleet.events(POLICY, uid)).containsEntry(Reasons.NODES_NOT_AWAITED, 1);
  }

  @Test
  void anAgentThatAnswersButConfirmsNothingFailsAtTheProgressDeadline() {
    String rollout = "{maxConcurrent: 2, maxFailures: 0, progressDeadlineSeconds: 4}";
    fleet.apply(POLICY, 100, rollout);
    awaitProgrammed();
    fleet.agents.stick(fleet.node(0));
    fleet.apply(POLICY, 200, rollout);
    await(Reasons.DEGRADED, "True RolloutHalted");
    assertThat(failedNodes())
        .containsExactly(
            new FailedNode(
                "health-0000",
                "ProgressDeadlineExceeded",
                "generation 2 was not confirmed within rollout.progressDeadlineSeconds, 4"));
    fleet.agents.speak(fleet.node(0));
    awaitProgrammed();
  }

  @Test
  void aRebootedNodeAndASilentAgentAreUnknownUntilTheAgentSpeaks() {
    fleet.agents.beat(Duration.ofSeconds(1));
    fleet.setBoot(0, "boot-1");
    fleet.agents.boot(fleet.node(0), "boot-1");
    fleet.apply(POLICY, 100, "{maxConcurrent: 100%}");
    awaitProgrammed();

    fleet.agents.silence(fleet.node(0));
    fleet.setBoot(0, "boot-2");
    await(Reasons.PROGRAMMED, "Unknown NodesUnknown");
    assertThat(fleet.message(POLICY, Reasons.PROGRAMMED))
        .isEqualTo(
            "1 of 4 nodes is in an unknown state: health-0000: its agent has not"
                + " reported since the node rebooted");
    assertThat(counted()).isEqualTo("3/4");
    assertThat(fleet.condition(POLICY, Reasons.DEGRADED)).isEqualTo("False AsExpected");
    fleet.agents.boot(fleet.node(0), "boot-2");
    fleet.agents.speak(fleet.node(0));
    awaitProgrammed();

    fleet.agents.silence(fleet.node(1));
    await(Reasons.PROGRAMMED, "Unknown NodesUnknown");
    assertThat(fleet.message(POLICY, Reasons.PROGRAMMED))
        .contains("health-0001: its agent has not reported since 20");
    fleet.restartOperator();
    fleet.agents.speak(fleet.node(1));
    awaitProgrammed();
  }

  @Test
  void aNodeThatJoinsDoesNotTakeProgrammedAway() {
    fleet.apply(POLICY, 100, ONE_BY_ONE);
    awaitProgrammed();
    fleet.agents.silence("health-joins");
    controlPlane
        .client()
        .resource(
            new NodeBuilder()
                .withNewMetadata()
                .withName("health-joins")
                .addToLabels("fleet", "health")
                .endMetadata()
                .build())
        .create();
    try {
      Poll.until("the node to count", () -> counted().equals("4/5"));
      assertThat(fleet.condition(POLICY, Reasons.PROGRAMMED)).isEqualTo("True AllNodesProgrammed");
      fleet.agents.speak("health-joins");
      Poll.until("the node to be programmed", () -> counted().equals("5/5"));
    } finally {
      controlPlane.client().nodes().withName("health-joins").delete();
    }
  }
}

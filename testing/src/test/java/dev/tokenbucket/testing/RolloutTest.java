// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.FailedNode;
import dev.tokenbucket.api.v1alpha1.NodeCounts;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** How a change goes from node to node, on a real API server. */
@ExtendWith({RequiresRoot.class, ControlPlaneExtension.class})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RolloutTest {
  private static final int NODES = 5;
  private static final String POLICY = "rolled";
  private static final String FAILURE = "this host has no interface named eth7";

  private ControlPlane controlPlane;
  private OperatedFleet fleet;

  @BeforeAll
  void start(ControlPlane controlPlane, @TempDir Path work) {
    this.controlPlane = controlPlane;
    fleet = new OperatedFleet(controlPlane, "roll", NODES, work, Map.of());
  }

  @AfterEach
  void reset() {
    fleet.reset();
  }

  @AfterAll
  void end() {
    fleet.close();
  }

  private void applyAndAwait(long rate, String rollout) {
    fleet.apply(POLICY, rate, rollout);
    awaitProgrammed();
  }

  private void awaitProgrammed() {
    Poll.until(
        "condition Programmed",
        () ->
            fleet
                .condition(POLICY, Reasons.PROGRAMMED)
                .equals("True " + Reasons.ALL_NODES_PROGRAMMED));
  }

  private Set<String> nodesAt(long rate) {
    return fleet.rates(POLICY).entrySet().stream()
        .filter(entry -> entry.getValue() == rate)
        .map(Map.Entry::getKey)
        .collect(Collectors.toUnmodifiableSet());
  }

  @Test
  void failuresOverTheLimitHaltItAndKubectlTellsAtAGlanceWhatIsWrongAndWhere() {
    applyAndAwait(100, "{maxConcurrent: 1, maxFailures: 1}");
    fleet.agents.fail(fleet.node(1), FAILURE);
    fleet.agents.fail(fleet.node(2), FAILURE);
    fleet.apply(POLICY, 200, "{maxConcurrent: 1, maxFailures: 1}");
    Poll.until(
        "halt",
        () -> fleet.condition(POLICY, Reasons.DEGRADED).equals("True " + Reasons.ROLLOUT_HALTED));

    assertThat(fleet.kubectl("get", "tbp", POLICY).lines().skip(1))
        .singleElement()
        .asString()
        .matches(
            "rolled +200 packets/s +Node +Ingress +Enforce +1/5 +False +\\d+s +rollout halted: 2 of"
                + " 5 nodes failed \\(roll-0001, roll-0002\\): "
                + FAILURE
                + " *");
    assertThat(fleet.kubectl("get", "tbp", POLICY, "-o", "wide")).contains("RolloutHalted");
    assertThat(fleet.message(POLICY, Reasons.DEGRADED))
        .isEqualTo(
            "2 of 5 nodes failed: roll-0001: "
                + FAILURE
                + "; roll-0002: "
                + FAILURE
                + "; more than rollout.maxFailures, which is 1, so the rollout of generation 2 has"
                + " halted; 2 of 5 nodes keep their earlier state");
    assertThat(fleet.policy(POLICY).getStatus().nodes())
        .isEqualTo(new NodeCounts(5, 1, 2, 2, 0, "1/5"));
    assertThat(fleet.policy(POLICY).getStatus().failedNodes())
        .extracting(FailedNode::name)
        .containsExactly("roll-0001", "roll-0002");
    assertUntouchedAfterARestart();

    fleet.agents.recover(fleet.node(1));
    fleet.agents.recover(fleet.node(2));
    awaitProgrammed();
    assertThat(nodesAt(200)).hasSize(NODES);
    // One for each turn that it took, whatever the number of nodes and restarts.
    assertThat(fleet.events(POLICY, fleet.policy(POLICY).getMetadata().getUid()))
        .containsEntry("Accepted", 2)
        .containsEntry("Programmed", 2)
        .containsEntry("RolloutHalted", 1);
  }

  private void assertUntouchedAfterARestart() {
    fleet.restartOperator();
    Daemon.pause(Duration.ofSeconds(2));
    assertThat(nodesAt(100)).containsExactlyInAnyOrder("roll-0003", "roll-0004");
    assertThat(fleet.entries(3)).extracting(NodePolicy::generation).containsExactly(1L);
    assertThat(fleet.condition(POLICY, Reasons.DEGRADED)).isEqualTo("True RolloutHalted");
  }

  @Test
  void aNewGenerationStartsANewRollout() {
    applyAndAwait(100, "{maxConcurrent: 2, maxFailures: 0}");
    fleet.agents.fail(fleet.node(0), FAILURE);
    fleet.apply(POLICY, 200, "{maxConcurrent: 2, maxFailures: 0}");
    Poll.until("halt", () -> fleet.condition(POLICY, Reasons.DEGRADED).contains("RolloutHalted"));

    fleet.agents.recover(fleet.node(0));
    fleet.apply(POLICY, 300, "{maxConcurrent: 2, maxFailures: 0}");
    awaitProgrammed();
    assertThat(nodesAt(300)).hasSize(NODES);
    assertThat(fleet.condition(POLICY, Reasons.DEGRADED)).isEqualTo("False AsExpected");
  }

  @Test
  void neverMoreThanMaxConcurrentNodesAreOpenAlsoWhenTheOperatorIsKilled() {
    applyAndAwait(100, "{maxConcurrent: 2}");
    fleet.nodes.names().forEach(fleet.agents::silence);
    fleet.apply(POLICY, 200, "{maxConcurrent: 2}");
    Poll.until("first nodes", () -> nodesAt(200).size() == 2);
    Set<String> first = nodesAt(200);
    Daemon.pause(Duration.ofSeconds(2));
    assertThat(nodesAt(200)).isEqualTo(first);

    fleet.restartOperator();
    Daemon.pause(Duration.ofSeconds(2));
    assertThat(nodesAt(200)).isEqualTo(first);

    fleet.agents.speak(fleet.node(0));
    Poll.until("the next node", () -> nodesAt(200).size() == 3);
    Daemon.pause(Duration.ofSeconds(1));
    assertThat(nodesAt(200)).hasSize(3);
    fleet.nodes.names().forEach(fleet.agents::speak);
    awaitProgrammed();
  }

  @Test
  void aPausedRolloutAdmitsNobodyAndSaysSo() {
    applyAndAwait(100, "{maxConcurrent: 2}");
    fleet.apply(POLICY, 200, "{maxConcurrent: 2, paused: true}");
    Poll.until(
        "pause", () -> fleet.condition(POLICY, Reasons.PROGRAMMED).equals("False RolloutPaused"));
    assertThat(fleet.kubectl("get", "tbp", POLICY))
        .contains("rollout paused: 5 of 5 nodes not changed yet");
    Daemon.pause(Duration.ofSeconds(1));
    assertThat(nodesAt(100)).hasSize(NODES);

    applyAndAwait(200, "{maxConcurrent: 2, paused: false}");
    assertThat(nodesAt(200)).hasSize(NODES);
  }

  @Test
  void aPolicyEndsByItselfAndIsThereAgainAtALaterTime() {
    applyAndAwait(100, "{maxConcurrent: 100%}");
    String rest = "rate: {packetsPerSecond: 100}, expiresAt: '%s'";
    fleet.apply(POLICY, rest.formatted(Instant.now().plusSeconds(2)));
    Poll.until(
        "end", () -> fleet.condition(POLICY, Reasons.READY).equals("True " + Reasons.EXPIRED));
    assertThat(fleet.condition(POLICY, Reasons.PROGRAMMED)).isEqualTo("False Expired");
    Poll.until("the node states to go", () -> fleet.nodes.states().isEmpty());
    assertThat(fleet.kubectl("get", "tbp", POLICY)).contains(" expired at 20");
    assertThat(fleet.events(POLICY, fleet.policy(POLICY).getMetadata().getUid()))
        .containsEntry("Expired", 1);

    fleet.apply(POLICY, rest.formatted("2126-01-01T00:00:00+01:00"));
    awaitProgrammed();
  }

  @Test
  void nodesThatAreNotReadyDontBlockCountAsPendingAndCatchUp() {
    applyAndAwait(100, "{maxConcurrent: 1}");
    fleet.setReady(0, false, Instant.now());
    fleet.setReady(1, false, Instant.now());
    fleet.apply(POLICY, 200, "{maxConcurrent: 1}");
    Poll.until(
        "the ready nodes",
        () ->
            new NodeCounts(5, 3, 2, 0, 0, "3/5").equals(fleet.policy(POLICY).getStatus().nodes()));
    assertThat(fleet.condition(POLICY, Reasons.PROGRAMMED)).isEqualTo("False Pending");
    assertThat(fleet.message(POLICY, Reasons.PROGRAMMED))
        .isEqualTo("2 of 5 nodes have yet to report, 2 of them not Ready");

    fleet.setReady(0, true, Instant.now());
    fleet.setReady(1, true, Instant.now());
    awaitProgrammed();
    assertThat(nodesAt(200)).hasSize(NODES);
  }

  @Test
  void aStatusIsWrittenAtMostOnceASecondAndItsTransitionTimesMoveWithItsStatusOnly() {
    applyAndAwait(100, "{maxConcurrent: 1}");
    String accepted = transition(Reasons.ACCEPTED);
    String before = fleet.policy(POLICY).getMetadata().getResourceVersion();
    Set<String> versions = ConcurrentHashMap.newKeySet();
    long start = System.nanoTime();
    try (SharedIndexInformer<TokenBucketPolicy> informer =
        controlPlane
            .client()
            .resources(TokenBucketPolicy.class)
            .withName(POLICY)
            .inform(new Versions(versions))) {
      applyAndAwait(200, "{maxConcurrent: 1}");
      applyAndAwait(300, "{maxConcurrent: 1}");
      assertThat(informer.hasSynced()).isTrue();
    }
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    versions.remove(before);

    // The two specs are ours.
    assertThat(versions.size() - 2).isPositive().isLessThanOrEqualTo((int) took.toSeconds() + 2);
    assertThat(transition(Reasons.ACCEPTED)).isEqualTo(accepted);
  }

  private String transition(String type) {
    return Objects.requireNonNull(fleet.policy(POLICY).getStatus().conditions()).stream()
        .filter(condition -> condition.getType().equals(type))
        .findFirst()
        .orElseThrow()
        .getLastTransitionTime();
  }

  private record Versions(Set<String> seen) implements ResourceEventHandler<TokenBucketPolicy> {
    @Override
    public void onAdd(TokenBucketPolicy policy) {
      seen.add(policy.getMetadata().getResourceVersion());
    }

    @Override
    public void onUpdate(TokenBucketPolicy before, TokenBucketPolicy now) {
      onAdd(now);
    }

    @Override
    public void onDelete(TokenBucketPolicy policy, boolean unknown) {
      throw new IllegalStateException("nobody deletes it");
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.FailedNode;
import dev.tokenbucket.api.v1alpha1.NodeCounts;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicyStatus;
import dev.tokenbucket.operator.Policies;
import dev.tokenbucket.operator.fleet.PolicyReport;
import dev.tokenbucket.operator.fleet.PolicyReport.Neighbour;
import dev.tokenbucket.operator.plan.PolicyIntent;
import dev.tokenbucket.operator.rollout.NodeAmount;
import dev.tokenbucket.operator.rollout.RolloutLimits;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PolicyStatusAggregatorTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
  private static final long GENERATION = 4;

  /** A report of a valid policy; counts that a test does not set are 0. */
  private static final class Report {
    PolicyIntent intent = Policies.named("p").generation(GENERATION).intent();
    int desired;
    int programmed;
    int failed;
    int held;
    int away;
    int leaving;
    int holding;
    int settling;
    int lost;
    int moving;
    boolean completed;
    List<String> withoutAgent = List.of();
    int maxFailures = 1;
    boolean paused;
    List<FailedNode> refused = List.of();
    List<Neighbour> overlaps = List.of();

    Report nodes(int all, int done, int broken) {
      desired = all;
      programmed = done;
      failed = broken;
      return this;
    }

    TokenBucketPolicyStatus status(@Nullable TokenBucketPolicyStatus before, Instant now) {
      List<FailedNode> named =
          IntStream.range(0, Math.min(10, failed))
              .mapToObj(
                  i -> new FailedNode("node-" + (10 + i), Reasons.PROGRAMMING_FAILED, "no eth7"))
              .toList();
      return PolicyStatusAggregator.aggregate(
          new PolicyReport(
              intent,
              GENERATION,
              new PolicyReport.Counts(
                  desired,
                  programmed,
                  settling,
                  failed,
                  refused.size(),
                  lost,
                  withoutAgent.size(),
                  held,
                  moving,
                  away,
                  leaving,
                  holding),
              named,
              IntStream.range(0, lost)
                  .mapToObj(
                      i -> new FailedNode("node-" + (20 + i), Reasons.NODE_REBOOTED, "rebooted"))
                  .toList(),
              withoutAgent,
              refused.stream().limit(10).toList(),
              failed > maxFailures,
              completed,
              new RolloutLimits(
                  new NodeAmount(1, false),
                  new NodeAmount(maxFailures, false),
                  Duration.ofSeconds(60),
                  Duration.ofMinutes(10),
                  paused),
              overlaps),
          before,
          now);
    }

    TokenBucketPolicyStatus status() {
      return status(null, NOON);
    }
  }

  private static Condition condition(TokenBucketPolicyStatus status, String type) {
    return Conditions.find(status, type).orElseThrow();
  }

  @Test
  void aPolicyInForceOnEveryNodeIsProgrammedAndShowsItsDefaultBurst() {
    TokenBucketPolicyStatus status = new Report().nodes(2, 2, 0).status();

    assertThat(status.observedGeneration()).isEqualTo(GENERATION);
    assertThat(status.nodes()).isEqualTo(new NodeCounts(2, 2, 0, 0, 0, "2/2"));
    assertThat(status.rate()).isEqualTo("1k packets/s");
    assertThat(status.burst()).isEqualTo("100 packets");
    assertThat(status.summary()).isEqualTo("in force");
    assertThat(condition(status, Reasons.PROGRAMMED).getStatus()).isEqualTo("True");
    assertThat(condition(status, Reasons.DEGRADED).getStatus()).isEqualTo("False");
    assertThat(status.failedNodes()).isNull();
  }

  @Test
  void nodesThatHaveYetToReportArePendingThoseNotReadyAmongThem() {
    Report report = new Report().nodes(4, 1, 0);
    report.away = 2;
    TokenBucketPolicyStatus status = report.status();

    assertThat(status.nodes()).isEqualTo(new NodeCounts(4, 1, 3, 0, 0, "1/4"));
    assertThat(condition(status, Reasons.PROGRAMMED).getReason()).isEqualTo(Reasons.PENDING);
    assertThat(status.summary()).isEqualTo("3 of 4 nodes have yet to report, 2 of them not Ready");
  }

  @Test
  void aNodeThatWasDeselectedKeepsThePolicyPendingUntilItHasRemovedIt() {
    Report report = new Report().nodes(1, 1, 0);
    report.leaving = 1;

    assertThat(condition(report.status(), Reasons.PROGRAMMED).getMessage())
        .isEqualTo("1 node no longer selected has yet to remove the policy");
  }

  @Test
  void failuresWithinTheLimitDegradeWithoutHalting() {
    TokenBucketPolicyStatus status = new Report().nodes(4, 2, 1).status();

    assertThat(condition(status, Reasons.DEGRADED).getStatus()).isEqualTo("True");
    assertThat(condition(status, Reasons.DEGRADED).getReason()).isEqualTo(Reasons.NODES_FAILED);
    assertThat(condition(status, Reasons.DEGRADED).getMessage())
        .isEqualTo("1 of 4 nodes failed: node-10: no eth7");
    assertThat(status.summary()).isEqualTo("1 of 4 nodes failed (node-10): no eth7");
  }

  @Test
  void aHaltedRolloutNamesNodesAndReasonsAndAtMostTenOfThem() {
    Report report = new Report().nodes(30, 3, 15);
    report.held = 12;
    TokenBucketPolicyStatus status = report.status();

    assertThat(status.failedNodes())
        .hasSize(10)
        .startsWith(new FailedNode("node-10", Reasons.PROGRAMMING_FAILED, "no eth7"));
    assertThat(condition(status, Reasons.DEGRADED).getReason()).isEqualTo(Reasons.ROLLOUT_HALTED);
    assertThat(condition(status, Reasons.DEGRADED).getMessage())
        .startsWith("15 of 30 nodes failed: node-10: no eth7; node-11: no eth7; ")
        .endsWith(
            "; and 5 more; more than rollout.maxFailures, which is 1, so the rollout of generation"
                + " 4 has halted; 12 of 30 nodes keep their earlier state");
    assertThat(condition(status, Reasons.PROGRAMMED).getReason()).isEqualTo(Reasons.ROLLOUT_HALTED);
    assertThat(status.summary())
        .isEqualTo(
            "rollout halted: 15 of 30 nodes failed (node-10, node-11, node-12 and 12 more): no"
                + " eth7");
  }

  @Test
  void aPausedRolloutSaysSoAsLongAsNodesWait() {
    Report report = new Report().nodes(3, 1, 0);
    report.paused = true;
    report.held = 2;

    assertThat(condition(report.status(), Reasons.PROGRAMMED).getReason())
        .isEqualTo(Reasons.ROLLOUT_PAUSED);
    assertThat(report.status().summary()).isEqualTo("rollout paused: 2 of 3 nodes not changed yet");
    report.held = 0;
    assertThat(condition(report.status(), Reasons.PROGRAMMED).getReason())
        .isEqualTo(Reasons.PENDING);
  }

  @Test
  void nodesWithoutRoomRefuseThePolicyByNameAndCountAsFailed() {
    Report report = new Report().nodes(6, 2, 0);
    report.refused =
        Stream.of("a", "b", "c", "d")
            .map(node -> new FailedNode(node, Reasons.NODE_LIMIT_EXCEEDED, "64 are there"))
            .toList();
    TokenBucketPolicyStatus status = report.status();

    for (String type : List.of(Reasons.ACCEPTED, Reasons.PROGRAMMED, Reasons.STALLED)) {
      assertThat(condition(status, type).getReason()).isEqualTo(Reasons.NODE_LIMIT_EXCEEDED);
    }
    assertThat(condition(status, Reasons.ACCEPTED).getStatus()).isEqualTo("False");
    assertThat(condition(status, Reasons.DEGRADED).getStatus()).isEqualTo("True");
    assertThat(condition(status, Reasons.ACCEPTED).getMessage())
        .startsWith("4 of 6 nodes have no room for this policy")
        .contains("keep their earlier state: a: 64 are there; b: 64 are there; ");
    assertThat(status.nodes()).isEqualTo(new NodeCounts(6, 2, 0, 4, 0, "2/6"));
    assertThat(status.failedNodes()).isEqualTo(report.refused);
    assertThat(status.summary())
        .isEqualTo("refused on 4 of 6 nodes (a, b, c and 1 more): 64 are there");
    assertThat(reasons(null, status)).containsExactly(Reasons.NODE_LIMIT_EXCEEDED);
    report.moving = 1;
    assertThat(condition(report.status(), Reasons.RECONCILING).getReason())
        .as("while other nodes go on")
        .isEqualTo(Reasons.NODE_LIMIT_EXCEEDED);
  }

  @Test
  void nodesWithoutAnAgentDegradeItAndAreNamed() {
    Report report = new Report().nodes(4, 2, 0);
    report.withoutAgent = List.of("a", "b");
    TokenBucketPolicyStatus status = report.status();

    assertThat(status.nodes()).isEqualTo(new NodeCounts(4, 2, 0, 0, 2, "2/4"));
    assertThat(condition(status, Reasons.PROGRAMMED).getReason()).isEqualTo(Reasons.NO_AGENT);
    assertThat(condition(status, Reasons.DEGRADED).getStatus()).isEqualTo("True");
    assertThat(status.summary()).isEqualTo("no agent answers on 2 of 4 nodes: a, b");
  }

  @Test
  void nodesThatSettleKeepItFromBeingProgrammed() {
    Report report = new Report().nodes(2, 2, 0);
    report.settling = 1;
    assertThat(report.status().summary())
        .isEqualTo("in force on 2 of 2 nodes, 1 of them for less than rollout.minReadySeconds, 60");
  }

  @Test
  void aNodeThatWasLostAfterTheRolloutIsUnknownAndOneThatJoinedChangesNothing() {
    TokenBucketPolicyStatus done = new Report().nodes(2, 2, 0).status();
    Report report = new Report().nodes(3, 2, 0);
    report.completed = true;
    assertThat(condition(report.status(done, NOON), Reasons.PROGRAMMED).getStatus())
        .isEqualTo("True");
    report.lost = 1;
    Condition programmed = condition(report.status(done, NOON), Reasons.PROGRAMMED);

    assertThat(programmed.getStatus()).isEqualTo("Unknown");
    assertThat(programmed.getReason()).isEqualTo(Reasons.NODES_UNKNOWN);
    assertThat(programmed.getMessage()).endsWith("node-20: rebooted");
    assertThat(report.status(done, NOON).completedGeneration()).isEqualTo(GENERATION);
  }

  @Test
  void overlapsAreShownWithTheirOrderAndAreBounded() {
    Report report = new Report().nodes(1, 1, 0);
    report.overlaps = List.of(new Neighbour("early", 10, true), new Neighbour("late", 900, false));
    assertThat(report.status().overlaps())
        .containsExactly("after early (priority 10)", "before late (priority 900)");

    report.overlaps =
        IntStream.range(0, 12).mapToObj(i -> new Neighbour("o" + i, 900, false)).toList();
    assertThat(report.status().overlaps()).hasSize(10).endsWith("and 3 more");
  }

  @Test
  void aPolicyThatSelectsNoNodeSaysSo() {
    assertThat(condition(new Report().status(), Reasons.PROGRAMMED).getReason())
        .isEqualTo(Reasons.NO_NODE_SELECTED);
  }

  @Test
  void nothingNewGivesAnEqualStatusAtAnyTime() {
    Report report = new Report().nodes(1, 1, 0);
    TokenBucketPolicyStatus first = report.status();

    assertThat(report.status(first, NOON.plusSeconds(60))).isEqualTo(first);
  }

  @Test
  void aTransitionTimeChangesWithItsConditionsStatusOnly() {
    TokenBucketPolicyStatus first = new Report().nodes(1, 0, 0).status();
    TokenBucketPolicyStatus later = new Report().nodes(1, 1, 0).status(first, NOON.plusSeconds(60));

    assertThat(condition(later, Reasons.PROGRAMMED).getLastTransitionTime())
        .isEqualTo("2026-01-01T12:01:00Z");
    assertThat(condition(later, Reasons.ACCEPTED).getLastTransitionTime())
        .isEqualTo("2026-01-01T12:00:00Z");
  }

  @Test
  void aRefusedPolicyIsNotAcceptedAndSaysHowManyNodesStay() {
    Report report = new Report();
    report.intent = new PolicyIntent.Refused("uid", "spec.nodeSelector: wrong");
    report.holding = 1;
    TokenBucketPolicyStatus status = report.status();

    assertThat(condition(status, Reasons.ACCEPTED).getMessage())
        .isEqualTo("spec.nodeSelector: wrong");
    assertThat(condition(status, Reasons.PROGRAMMED).getMessage())
        .isEqualTo("not sent to nodes; 1 node keeps what it has of the policy");
  }

  @Test
  void eventsAreForTurnsOnlyAndNotForEachNode() {
    TokenBucketPolicyStatus pending = new Report().nodes(3, 0, 0).status();
    TokenBucketPolicyStatus further = new Report().nodes(3, 2, 0).status(pending, NOON);
    TokenBucketPolicyStatus failing = new Report().nodes(3, 1, 1).status(further, NOON);
    TokenBucketPolicyStatus halted = new Report().nodes(3, 1, 2).status(failing, NOON);
    TokenBucketPolicyStatus done = new Report().nodes(3, 3, 0).status(halted, NOON);

    assertThat(reasons(null, pending)).containsExactly("Accepted");
    assertThat(reasons(pending, further)).isEmpty();
    assertThat(reasons(further, failing)).containsExactly("NodesFailed");
    assertThat(reasons(failing, halted)).containsExactly("RolloutHalted");
    assertThat(reasons(halted, done)).containsExactly("Programmed");
    assertThat(reasons(done, done)).isEmpty();
  }

  private static List<String> reasons(
      @Nullable TokenBucketPolicyStatus before, TokenBucketPolicyStatus now) {
    return PolicyEvent.between(before, now).stream().map(PolicyEvent::reason).toList();
  }
}

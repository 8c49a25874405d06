// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.operator.Policies;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class NodeProgressTest {
  private static final NodePolicy WANTED = Policies.named("p").generation(3).rate(300).entry();
  private static final NodePolicy EARLIER = Policies.named("p").generation(2).rate(200).entry();

  private static NodePolicyStatus answer(long tried, long inForce, boolean programmed) {
    return new NodePolicyStatus(
        "p",
        "uid-p",
        tried,
        inForce,
        programmed,
        programmed ? null : Reasons.PROGRAMMING_FAILED,
        programmed ? null : "no eth7",
        null,
        null,
        List.of(),
        null,
        null);
  }

  private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");
  private static final Duration START = Duration.ofMinutes(1);

  /** A healthy node, unless a test changes it. */
  private static final class Node {
    boolean ready = true;
    AgentContact agent = AgentContact.CURRENT;
    boolean speaksOfGiven = true;
    Duration givenFor = Duration.ZERO;
    @Nullable Instant inForceSince;
    @Nullable Instant readySince;
    int minReadySeconds;

    Node with(Consumer<Node> change) {
      change.accept(this);
      return this;
    }

    NodeStage stage(@Nullable NodePolicy given, @Nullable NodePolicyStatus answer) {
      RolloutLimits limits =
          new RolloutLimits(
              NodeAmount.nodes(1),
              NodeAmount.nodes(0),
              Duration.ofSeconds(minReadySeconds),
              Duration.ofMinutes(10),
              false);
      return new NodeProgress(
              ready, agent, given, answer, speaksOfGiven, givenFor, inForceSince, readySince)
          .stage(WANTED, limits, START, NOW);
    }
  }

  private static NodeStage stage(
      boolean ready, @Nullable NodePolicy given, @Nullable NodePolicyStatus answer) {
    return new Node().with(node -> node.ready = ready).stage(given, answer);
  }

  @Test
  void aNodeIsDoneOnlyWhenItsKernelRunsTheGenerationItWasGiven() {
    assertThat(stage(true, WANTED, null)).isEqualTo(NodeStage.CHANGING);
    assertThat(stage(true, WANTED, answer(2, 2, true))).isEqualTo(NodeStage.CHANGING);
    assertThat(stage(true, WANTED, answer(3, 3, true))).isEqualTo(NodeStage.DONE);
  }

  @Test
  void aConfirmationCountsOnlyForWhatItsAgentHadSeen() {
    Node node = new Node().with(each -> each.speaksOfGiven = false);
    assertThat(node.stage(WANTED, answer(3, 3, true))).isEqualTo(NodeStage.CHANGING);
    assertThat(node.stage(WANTED, answer(3, 2, false))).isEqualTo(NodeStage.FAILED);
  }

  @Test
  void theSameGenerationWithOtherContentIsAChange() {
    NodePolicy made = Policies.named("p").generation(3).rate(299).entry();
    assertThat(stage(true, made, answer(3, 3, true))).isEqualTo(NodeStage.WAITING);
  }

  @Test
  void aFailureCountsForTheGenerationThatWasTriedOnly() {
    assertThat(stage(true, WANTED, answer(2, 1, false))).isEqualTo(NodeStage.CHANGING);
    assertThat(stage(true, WANTED, answer(3, 2, false))).isEqualTo(NodeStage.FAILED);
    assertThat(stage(false, WANTED, answer(3, 2, false))).isEqualTo(NodeStage.FAILED);
    assertThat(stage(true, EARLIER, answer(2, 1, false))).isEqualTo(NodeStage.WAITING);
  }

  @Test
  void aNodeWhoseEarlierGenerationIsOpenHoldsAPlace() {
    assertThat(stage(true, EARLIER, answer(1, 1, true))).isEqualTo(NodeStage.UNSETTLED);
    assertThat(stage(true, EARLIER, answer(2, 2, true))).isEqualTo(NodeStage.WAITING);
    assertThat(stage(true, null, null)).isEqualTo(NodeStage.WAITING);
  }

  @Test
  void aNodeThatIsNotReadyIsAwayBeforeItWasGivenTheGenerationAndLostAfterwards() {
    assertThat(stage(false, null, null)).isEqualTo(NodeStage.AWAY);
    assertThat(stage(false, EARLIER, answer(2, 2, true))).isEqualTo(NodeStage.AWAY);
    assertThat(stage(false, WANTED, answer(2, 2, true))).isEqualTo(NodeStage.LOST);
    assertThat(stage(false, WANTED, answer(3, 3, true))).isEqualTo(NodeStage.LOST);
  }

  @Test
  void soIsOneThatHasRebootedOrWhoseAgentIsSilent() {
    Node rebooted = new Node().with(node -> node.agent = AgentContact.REBOOTED);
    assertThat(rebooted.stage(WANTED, answer(3, 3, true))).isEqualTo(NodeStage.LOST);
    assertThat(rebooted.stage(EARLIER, answer(2, 2, true))).isEqualTo(NodeStage.AWAY);
    Node silent = new Node().with(node -> node.agent = AgentContact.SILENT);
    assertThat(silent.stage(WANTED, answer(3, 3, true))).isEqualTo(NodeStage.LOST);
    assertThat(silent.stage(EARLIER, answer(2, 2, true))).isEqualTo(NodeStage.NO_AGENT);
  }

  @Test
  void anAgentThatNeverSpokeIsWaitedForForAWhile() {
    Node node = new Node().with(each -> each.agent = AgentContact.NEVER);
    assertThat(node.stage(WANTED, null)).isEqualTo(NodeStage.CHANGING);
    assertThat(node.stage(EARLIER, null)).isEqualTo(NodeStage.UNSETTLED);
    node.givenFor = START;
    assertThat(node.stage(WANTED, null)).isEqualTo(NodeStage.NO_AGENT);
    assertThat(node.stage(EARLIER, null)).isEqualTo(NodeStage.NO_AGENT);
  }

  @Test
  void whatIsNotConfirmedWithinTheDeadlineIsOverdue() {
    Node node = new Node().with(each -> each.givenFor = Duration.ofMinutes(10).minusNanos(1));
    assertThat(node.stage(WANTED, answer(2, 2, true))).isEqualTo(NodeStage.CHANGING);
    node.givenFor = Duration.ofMinutes(10);
    assertThat(node.stage(WANTED, answer(2, 2, true))).isEqualTo(NodeStage.OVERDUE);
  }

  @Test
  void aNodeSettlesForMinReadySecondsWhileItIsReady() {
    Node node = new Node().with(each -> each.minReadySeconds = 60);
    assertThat(node.stage(WANTED, answer(3, 3, true))).isEqualTo(NodeStage.DONE);
    node.inForceSince = NOW.minusSeconds(59);
    assertThat(node.stage(WANTED, answer(3, 3, true))).isEqualTo(NodeStage.SETTLING);
    node.inForceSince = NOW.minusSeconds(60);
    assertThat(node.stage(WANTED, answer(3, 3, true))).isEqualTo(NodeStage.DONE);
    node.readySince = NOW.minusSeconds(1);
    assertThat(node.stage(WANTED, answer(3, 3, true))).isEqualTo(NodeStage.SETTLING);
  }

  @Test
  void aGenerationThatAsksForTheSameIsNoChange() {
    NodePolicy same = Policies.named("p").generation(2).rate(300).entry();
    assertThat(stage(true, same, null)).isEqualTo(NodeStage.UNCHANGED);
    // Otherwise an edit of spec.rollout would count an absent node as lost.
    assertThat(stage(false, same, null)).isEqualTo(NodeStage.AWAY);
  }
}

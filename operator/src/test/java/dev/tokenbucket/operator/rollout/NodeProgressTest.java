package dev.tokenbucket.operator.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.operator.Policies;
import java.util.List;
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
        null);
  }

  private static NodeStage stage(
      boolean ready, @Nullable NodePolicy given, @Nullable NodePolicyStatus answer) {
    return new NodeProgress(ready, given, answer).stage(WANTED);
  }

  @Test
  void aNodeIsDoneOnlyWhenItsKernelRunsTheGenerationItWasGiven() {
    assertThat(stage(true, WANTED, null)).isEqualTo(NodeStage.CHANGING);
    assertThat(stage(true, WANTED, answer(2, 2, true))).isEqualTo(NodeStage.CHANGING);
    assertThat(stage(true, WANTED, answer(3, 3, true))).isEqualTo(NodeStage.DONE);
    assertThat(stage(false, WANTED, answer(3, 3, true))).isEqualTo(NodeStage.DONE);
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
  void aNodeThatIsNotReadyIsAway() {
    assertThat(stage(false, null, null)).isEqualTo(NodeStage.AWAY);
    assertThat(stage(false, EARLIER, answer(2, 2, true))).isEqualTo(NodeStage.AWAY);
    assertThat(stage(false, WANTED, answer(2, 2, true))).isEqualTo(NodeStage.AWAY);
  }

  @Test
  void aGenerationThatAsksForTheSameIsNoChange() {
    NodePolicy same = Policies.named("p").generation(2).rate(300).entry();
    assertThat(stage(true, same, null)).isEqualTo(NodeStage.UNCHANGED);
    assertThat(stage(false, same, null)).isEqualTo(NodeStage.UNCHANGED);
  }
}

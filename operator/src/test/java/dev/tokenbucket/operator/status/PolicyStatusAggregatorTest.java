package dev.tokenbucket.operator.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.FailedNode;
import dev.tokenbucket.api.v1alpha1.NodeCounts;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.Rate;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicySpec;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicyStatus;
import dev.tokenbucket.operator.plan.PolicyIntent;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Quantity;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PolicyStatusAggregatorTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
  private static final long GENERATION = 4;

  private static PolicyIntent policy() {
    TokenBucketPolicy policy = new TokenBucketPolicy();
    policy.getMetadata().setName("p");
    policy.getMetadata().setUid("uid");
    policy.getMetadata().setGeneration(GENERATION);
    policy.setSpec(
        new TokenBucketPolicySpec(
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            new Rate(Quantity.parse("1k"), null, null),
            null,
            null,
            null,
            null));
    return PolicyIntent.of(policy);
  }

  private static NodeReport programmed(String node, long generation) {
    return new NodeReport(
        node,
        true,
        new NodePolicyStatus(
            "p", "uid", generation, true, null, null, null, null, List.of(), null));
  }

  private static NodeReport failed(String node) {
    return new NodeReport(
        node,
        true,
        new NodePolicyStatus(
            "p",
            "uid",
            3,
            false,
            Reasons.PROGRAMMING_FAILED,
            "no eth7",
            null,
            null,
            List.of(),
            null));
  }

  private static TokenBucketPolicyStatus status(
      List<NodeReport> reports, @Nullable TokenBucketPolicyStatus before, Instant now) {
    return PolicyStatusAggregator.aggregate(policy(), GENERATION, reports, before, now);
  }

  private static Condition condition(TokenBucketPolicyStatus status, String type) {
    return Objects.requireNonNull(status.conditions()).stream()
        .filter(condition -> condition.getType().equals(type))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void aPolicyInForceOnEveryNodeIsProgrammedAndShowsItsDefaultBurst() {
    TokenBucketPolicyStatus status =
        status(List.of(programmed("a", 4), programmed("b", 4)), null, NOON);

    assertThat(status.nodes()).isEqualTo(new NodeCounts(2, 2, 0, 0, "2/2"));
    assertThat(status.rate()).isEqualTo("1000 packets/s");
    assertThat(status.burst()).isEqualTo("100 packets");
    assertThat(condition(status, Reasons.PROGRAMMED).getStatus()).isEqualTo("True");
    assertThat(condition(status, Reasons.DEGRADED).getStatus()).isEqualTo("False");
    assertThat(status.failedNodes()).isNull();
  }

  @Test
  void aNodeThatReportsAnEarlierGenerationIsPending() {
    TokenBucketPolicyStatus status =
        status(List.of(programmed("a", 4), programmed("b", 3)), null, NOON);

    assertThat(status.nodes()).isEqualTo(new NodeCounts(2, 1, 1, 0, "1/2"));
    assertThat(condition(status, Reasons.PROGRAMMED).getReason()).isEqualTo(Reasons.PENDING);
  }

  @Test
  void aNodeThatWasDeselectedKeepsThePolicyPendingUntilItHasRemovedIt() {
    NodeReport leaving = new NodeReport("b", false, programmed("b", 4).entry());
    TokenBucketPolicyStatus status = status(List.of(programmed("a", 4), leaving), null, NOON);

    assertThat(condition(status, Reasons.PROGRAMMED).getMessage())
        .isEqualTo("1 nodes no longer selected have yet to remove it");
  }

  @Test
  void failuresDegradeAndAtMostTenAreNamed() {
    List<NodeReport> reports = new ArrayList<>();
    for (int i = 10; i < 25; i++) {
      reports.add(failed("node-" + i));
    }
    TokenBucketPolicyStatus status = status(reports, null, NOON);

    assertThat(status.failedNodes())
        .hasSize(10)
        .startsWith(new FailedNode("node-10", Reasons.PROGRAMMING_FAILED, "no eth7"));
    assertThat(condition(status, Reasons.DEGRADED).getStatus()).isEqualTo("True");
    assertThat(condition(status, Reasons.DEGRADED).getMessage())
        .isEqualTo("node-10: no eth7 (and 14 more)");
  }

  @Test
  void aPolicyThatSelectsNoNodeSaysSo() {
    assertThat(condition(status(List.of(), null, NOON), Reasons.PROGRAMMED).getReason())
        .isEqualTo(Reasons.NO_NODE_SELECTED);
  }

  @Test
  void nothingNewGivesAnEqualStatusAtAnyTime() {
    TokenBucketPolicyStatus first = status(List.of(programmed("a", 4)), null, NOON);

    assertThat(status(List.of(programmed("a", 4)), first, NOON.plusSeconds(60))).isEqualTo(first);
  }

  @Test
  void aTransitionTimeChangesWithItsConditionsStatusOnly() {
    TokenBucketPolicyStatus first = status(List.of(programmed("a", 3)), null, NOON);
    TokenBucketPolicyStatus later =
        status(List.of(programmed("a", 4)), first, NOON.plusSeconds(60));

    assertThat(condition(later, Reasons.PROGRAMMED).getLastTransitionTime())
        .isEqualTo("2026-01-01T12:01:00Z");
    assertThat(condition(later, Reasons.ACCEPTED).getLastTransitionTime())
        .isEqualTo("2026-01-01T12:00:00Z");
  }

  @Test
  void aRefusedPolicyIsNotAcceptedAndSaysHowManyNodesStay() {
    TokenBucketPolicyStatus status =
        PolicyStatusAggregator.aggregate(
            new PolicyIntent.Refused("uid", "spec.nodeSelector: wrong"),
            GENERATION,
            List.of(programmed("a", 3)),
            null,
            NOON);

    assertThat(condition(status, Reasons.ACCEPTED).getMessage())
        .isEqualTo("spec.nodeSelector: wrong");
    assertThat(condition(status, Reasons.PROGRAMMED).getMessage())
        .isEqualTo("not handed to nodes; 1 of them stay at an earlier generation");
  }
}

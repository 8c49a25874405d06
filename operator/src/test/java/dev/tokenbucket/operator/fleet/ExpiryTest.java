// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateSpec;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicyStatus;
import dev.tokenbucket.operator.Policies;
import dev.tokenbucket.operator.failsafe.FailsafeSettings;
import dev.tokenbucket.operator.plan.PolicyIntent;
import dev.tokenbucket.operator.status.PolicyStatusAggregator;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A policy that ends by itself, by a clock that the test turns. */
class ExpiryTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

  private Instant now = NOON.minusSeconds(1);
  private final Fleet fleet =
      new Fleet(
          FailsafeSettings.NONE,
          AgentTimeouts.DEFAULT,
          ((InstantSource) () -> now).withZone(ZoneOffset.UTC));

  private void open(Policies policy) {
    fleet.put(
        new NodeBuilder().withNewMetadata().withName("n").withUid("uid-n").endMetadata().build());
    fleet.put(policy.build());
    fleet.open();
  }

  private void stateThere() {
    TokenBucketNodeState state = new TokenBucketNodeState();
    state.getMetadata().setName("n");
    state.getMetadata().setUid("uid-state");
    state.getMetadata().setGeneration(1L);
    state.setSpec(new TokenBucketNodeStateSpec(List.of(Policies.named("p").entry()), null, null));
    fleet.put(state);
  }

  private List<?> planned() {
    return fleet.draft("n").orElseThrow().plan().entries();
  }

  private String condition(String type) {
    TokenBucketPolicyStatus status =
        PolicyStatusAggregator.aggregate(fleet.report("uid-p").orElseThrow(), null, now);
    return Objects.requireNonNull(status.conditions()).stream()
        .filter(condition -> condition.getType().equals(type))
        .map(Condition::getMessage)
        .findFirst()
        .orElse("");
  }

  @Test
  void itEndsAtItsTimeByTheTimeAloneAndNodesLoseIt() {
    open(Policies.named("p").expiresAt("2026-01-01T14:00:00+02:00"));
    stateThere();
    assertThat(fleet.tick().nodes()).isEmpty();
    assertThat(planned()).hasSize(1);

    now = NOON;
    assertThat(fleet.tick()).isEqualTo(new Affected(Set.of("n"), Set.of("p"), Set.of()));
    assertThat(planned()).isEmpty();
    assertThat(condition(Reasons.PROGRAMMED))
        .isEqualTo("expired at 2026-01-01T12:00:00Z; 1 node has yet to remove the policy");
    assertThat(condition(Reasons.RECONCILING)).isNotEmpty();
    fleet.removeState("n", null);
    assertThat(condition(Reasons.READY))
        .isEqualTo("expired at 2026-01-01T12:00:00Z: in force on no node");
    assertThat(condition(Reasons.RECONCILING)).isEmpty();
    assertThat(fleet.tick()).isEqualTo(Affected.none());

    fleet.put(Policies.named("p").generation(2).expiresAt("2026-01-01T12:00:01Z").build());
    assertThat(planned()).hasSize(1);
  }

  @Test
  void oneThatHasEndedBeforeTheOperatorStartedIsGivenToNoNode() {
    open(Policies.named("p").expiresAt("2026-01-01T11:59:59Z"));
    assertThat(planned()).isEmpty();
  }

  @Test
  void aDayThatItsMonthDoesNotHaveIsRefused() {
    assertThat(Policies.named("p").expiresAt("2026-02-30T12:00:00Z").intent())
        .isEqualTo(
            new PolicyIntent.Refused(
                "uid-p",
                "spec.expiresAt: Invalid value: \"2026-02-30T12:00:00Z\": must be an RFC 3339 time"
                    + " such as 2026-12-01T18:00:00Z"));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateSpec;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateStatus;
import dev.tokenbucket.operator.Policies;
import dev.tokenbucket.operator.failsafe.FailsafeSettings;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The fleet as time passes, without a cluster. */
class AgentSilenceTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

  private Instant now = NOON;
  private long version;
  private final Fleet fleet =
      new Fleet(
          FailsafeSettings.NONE,
          AgentTimeouts.DEFAULT,
          ((InstantSource) () -> now).withZone(ZoneOffset.UTC));

  private TokenBucketNodeState spoken(Instant contact) {
    TokenBucketNodeState state = new TokenBucketNodeState();
    state.getMetadata().setName("n");
    state.getMetadata().setUid("uid-state");
    state.getMetadata().setGeneration(1L);
    state.getMetadata().setResourceVersion(Long.toString(++version));
    state.setSpec(new TokenBucketNodeStateSpec(List.of(Policies.named("p").entry()), null, null));
    state.setStatus(
        new TokenBucketNodeStateStatus(
            1L,
            null,
            null,
            List.of(
                new NodePolicyStatus(
                    "p", "uid-p", 1L, 1, true, null, null, null, null, List.of(), null, null)),
            null,
            null,
            null,
            null,
            contact.toString(),
            null));
    return state;
  }

  private void openWith(Instant contact) {
    fleet.put(
        new NodeBuilder().withNewMetadata().withName("n").withUid("uid-n").endMetadata().build());
    fleet.put(Policies.named("p").build());
    fleet.put(spoken(contact));
    fleet.open();
  }

  private PolicyReport.Counts counts() {
    return fleet.report("uid-p").orElseThrow().counts();
  }

  @Test
  void anAgentIsSilentByTheTimeAloneAndHeardAtItsNextWord() {
    openWith(NOON);
    assertThat(counts().programmed()).isEqualTo(1);
    now = NOON.plus(Duration.ofMinutes(5));
    assertThat(fleet.tick().policies()).isEmpty();
    now = now.plusSeconds(1);
    assertThat(fleet.tick().policies()).containsExactly("p");
    assertThat(counts().lost()).isEqualTo(1);
    assertThat(fleet.tick().policies()).isEmpty();

    fleet.put(spoken(now));
    assertThat(counts().programmed()).isEqualTo(1);
  }

  @Test
  void anAgentThatWasSilentWhenTheOperatorStartedIsHeardBeforeAnyTick() {
    openWith(NOON.minus(Duration.ofHours(1)));
    assertThat(counts().programmed()).isZero();
    fleet.put(spoken(now));
    assertThat(counts().programmed()).isEqualTo(1);
  }

  @Test
  void aTimeThatIsYetToComeIsNow() {
    openWith(NOON.plus(Duration.ofDays(1)));
    now = NOON.plus(Duration.ofMinutes(6));
    fleet.tick();
    assertThat(counts().lost()).isEqualTo(1);
  }
}

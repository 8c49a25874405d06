// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.operator.fleet.Holder;
import dev.tokenbucket.operator.fleet.NodeView;
import dev.tokenbucket.operator.rollout.AgentContact;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class DeletionVerdictTest {
  private static final Instant DELETED = Instant.parse("2026-01-01T12:00:00Z");
  private static final DeletionVerdict.Limits LIMITS =
      new DeletionVerdict.Limits(Duration.ofMinutes(5), Duration.ofMinutes(15));

  private static Holder node(boolean ready, @Nullable Instant since) {
    return node(ready, since, AgentContact.CURRENT);
  }

  private static Holder node(boolean ready, @Nullable Instant since, AgentContact agent) {
    return new Holder(
        Optional.of(new NodeView("n", "uid", 1, Map.of(), ready, null, null, since, null)), agent);
  }

  private static DeletionVerdict verdict(Map<String, Holder> holders, int seconds) {
    return DeletionVerdict.of(holders, DELETED, DELETED.plusSeconds(seconds), LIMITS);
  }

  @Test
  void aNodeThatCanBeReachedIsAwaitedButNotForEver() {
    Map<String, Holder> holders = Map.of("n", node(true, null));

    assertThat(verdict(holders, 899).awaited()).containsExactly("n");
    assertThat(verdict(holders, 890).again()).isEqualTo(Duration.ofSeconds(10));
    assertThat(verdict(holders, 900).awaited()).isEmpty();
    assertThat(verdict(holders, 900).event(1).orElseThrow().message())
        .contains("n (its agent has not confirmed for 900 s)");
  }

  @Test
  void aNodeOnWhichNoAgentAnswersIsAwaitedUntilTheTimeout() {
    for (AgentContact agent : List.of(AgentContact.NEVER, AgentContact.SILENT)) {
      Map<String, Holder> holders = Map.of("n", node(true, null, agent));

      assertThat(verdict(holders, 299).awaited()).containsExactly("n");
      assertThat(verdict(holders, 300).awaited()).isEmpty();
      assertThat(verdict(holders, 300).event(1).orElseThrow().message())
          .contains("n (no agent answers)");
    }
  }

  @Test
  void aNodeThatIsNotReadyIsAwaitedUntilTheTimeoutSinceItWasReady() {
    Map<String, Holder> holders = Map.of("n", node(false, DELETED.minusSeconds(280)));

    assertThat(verdict(holders, 0).awaited()).containsExactly("n");
    assertThat(verdict(holders, 0).again()).isEqualTo(Duration.ofSeconds(20));
    assertThat(verdict(holders, 20).awaited()).isEmpty();
    assertThat(verdict(holders, 20).event(1).orElseThrow().message())
        .contains("n (not Ready for 300 s)");
  }

  @Test
  void aNodeThatDoesNotSaySinceWhenIsAwaitedFromTheDeletionOn() {
    Map<String, Holder> holders = Map.of("n", node(false, null));

    assertThat(verdict(holders, 299).awaited()).containsExactly("n");
    assertThat(verdict(holders, 300).awaited()).isEmpty();
  }

  @Test
  void aNodeThatIsGoneIsNotAwaited() {
    DeletionVerdict verdict =
        verdict(Map.of("n", new Holder(Optional.empty(), AgentContact.NEVER)), 0);

    assertThat(verdict.awaited()).isEmpty();
    assertThat(verdict.event(1).orElseThrow().message()).contains("n (gone)");
  }

  @Test
  void nothingIsSaidWhereEveryNodeConfirmed() {
    assertThat(verdict(Map.of(), 0).event(1)).isEmpty();
  }
}

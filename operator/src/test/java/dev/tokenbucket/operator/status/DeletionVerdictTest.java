package dev.tokenbucket.operator.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.operator.fleet.NodeView;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class DeletionVerdictTest {
  private static final Instant DELETED = Instant.parse("2026-01-01T12:00:00Z");
  private static final Duration TIMEOUT = Duration.ofMinutes(5);

  private static Optional<NodeView> node(boolean ready, @Nullable Instant since) {
    return Optional.of(new NodeView("n", "uid", 1, Map.of(), ready, since, null));
  }

  private static DeletionVerdict verdict(Map<String, Optional<NodeView>> holders, int seconds) {
    return DeletionVerdict.of(holders, DELETED, DELETED.plusSeconds(seconds), TIMEOUT);
  }

  @Test
  void aNodeThatCanBeReachedIsAwaitedForAsLongAsItTakes() {
    assertThat(verdict(Map.of("n", node(true, null)), 86_400).awaited()).containsExactly("n");
  }

  @Test
  void aNodeThatIsNotReadyIsAwaitedUntilTheTimeoutSinceItWasReady() {
    Map<String, Optional<NodeView>> holders = Map.of("n", node(false, DELETED.minusSeconds(280)));

    assertThat(verdict(holders, 0).awaited()).containsExactly("n");
    assertThat(verdict(holders, 0).again()).isEqualTo(Duration.ofSeconds(20));
    assertThat(verdict(holders, 20).awaited()).isEmpty();
    assertThat(verdict(holders, 20).event(1).orElseThrow().message())
        .contains("n (not Ready for 300 s)");
  }

  @Test
  void aNodeThatDoesNotSaySinceWhenIsAwaitedFromTheDeletionOn() {
    Map<String, Optional<NodeView>> holders = Map.of("n", node(false, null));

    assertThat(verdict(holders, 299).awaited()).containsExactly("n");
    assertThat(verdict(holders, 300).awaited()).isEmpty();
  }

  @Test
  void aNodeThatIsGoneIsNotAwaited() {
    DeletionVerdict verdict = verdict(Map.of("n", Optional.empty()), 0);

    assertThat(verdict.awaited()).isEmpty();
    assertThat(verdict.event(1).orElseThrow().message()).contains("n (gone)");
  }

  @Test
  void nothingIsSaidWhereEveryNodeConfirmed() {
    assertThat(verdict(Map.of(), 0).event(1)).isEmpty();
  }
}

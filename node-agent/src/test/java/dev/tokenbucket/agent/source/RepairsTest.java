// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Condition;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class RepairsTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00.123Z");

  @Test
  void withoutARepairTheConditionIsFalseSinceTheStart() {
    Condition condition = Repairs.since(START).condition(START.plus(Duration.ofDays(1)));
    assertThat(condition.getType()).isEqualTo("Repaired");
    assertThat(condition.getStatus()).isEqualTo("False");
    assertThat(condition.getReason()).isEqualTo("Undisturbed");
    assertThat(condition.getLastTransitionTime()).isEqualTo("2026-01-01T00:00:00Z");
  }

  @Test
  void aRepairIsShownForItsTimeAndCounted() {
    Instant first = START.plus(Duration.ofHours(1));
    Instant second = first.plus(Repairs.SHOWN).minusSeconds(1);
    Repairs repairs = Repairs.since(START).and(first).and(second);

    Condition shown = repairs.condition(second.plusSeconds(1));
    assertThat(shown.getStatus()).isEqualTo("True");
    assertThat(shown.getMessage()).contains("2 times", "2026-01-01T01:09:59Z");
    assertThat(shown.getLastTransitionTime()).isEqualTo("2026-01-01T01:00:00Z");

    Condition over = repairs.condition(second.plus(Repairs.SHOWN));
    assertThat(over.getStatus()).isEqualTo("False");
    assertThat(over.getLastTransitionTime()).isEqualTo("2026-01-01T01:19:59Z");
  }

  @Test
  void aRepairAfterALongTimeBeginsAnew() {
    Instant later = START.plus(Duration.ofDays(1));
    Condition condition = Repairs.since(START).and(START).and(later).condition(later);
    assertThat(condition.getLastTransitionTime()).isEqualTo("2026-01-02T00:00:00Z");
  }
}

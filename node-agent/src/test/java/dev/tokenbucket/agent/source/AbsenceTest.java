// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class AbsenceTest {
  private final Absence absence = new Absence(Duration.ofSeconds(30));

  private boolean at(int second, boolean absent) {
    // about the wrap of the clock, whose value means nothing by itself
    return absence.lasts(absent, Long.MAX_VALUE - 5_000_000_000L + second * 1_000_000_000L);
  }

  @Test
  void whatIsAwayForAMomentIsNotGone() {
    assertThat(at(0, true)).isFalse();
    assertThat(at(29, true)).isFalse();
    assertThat(at(30, false)).isFalse();
    assertThat(at(31, true)).isFalse();
    assertThat(at(60, true)).isFalse();
    assertThat(at(61, true)).isTrue();
  }

  @Test
  void whatComesBackIsThere() {
    at(0, true);
    assertThat(at(31, true)).isTrue();
    assertThat(at(32, false)).isFalse();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tokenbucket.testing.StepFailedException;
import dev.tokenbucket.testing.bench.MicroResult.PerPacket;
import dev.tokenbucket.testing.bench.Subject.Expected;
import java.util.List;
import org.junit.jupiter.api.Test;

class BenchFiguresTest {
  private static Spread only(double value) {
    return Spread.of(List.of(value));
  }

  @Test
  void aSpreadIsMinimumMedianMaximum() {
    assertThat(Spread.of(List.of(3.0, 1.0, 2.0))).isEqualTo(new Spread(1, 2, 3));
    assertThat(Spread.of(List.of(4.0, 1.0, 2.0, 3.0))).isEqualTo(new Spread(1, 2.5, 4));
  }

  @Test
  void ratiosAreTakenRoundByRound() {
    assertThat(Spread.ratio(new double[] {2, 9, 4}, new double[] {1, 3, 4}))
        .isEqualTo(new Spread(1, 2, 3));
  }

  @Test
  void netIsTheMedianLessTheEmptyProgram() {
    PerPacket row =
        PerPacket.of(Key.NODE, Expected.EXCEED, only(80), only(230), only(30), only(70));

    assertThat(row.net()).isEqualTo(50);
    assertThat(row.textbookNet()).isEqualTo(200);
    assertThat(row.ratio()).isEqualTo(4);
    assertThat(row.ratioMet()).as("goal 5").isFalse();
    assertThat(row.clocks()).isEqualTo(1.25);
    assertThat(row.clocksMet()).as("goal 1.5").isTrue();
  }

  @Test
  void aPageWithoutMarkersIsRefused() {
    assertThatThrownBy(() -> Report.replaced("a page", "tables"))
        .isInstanceOf(StepFailedException.class)
        .hasMessageContaining("<!-- bench: begin -->");
  }
}

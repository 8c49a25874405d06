// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.program.WorstWindow.Passed;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class WorstWindowProperties {
  @Property
  void theWorstWindowIsTheWorstOfAllWindows(@ForAll("logs") List<Passed> log) {
    long worst = Long.MIN_VALUE;
    for (Passed first : log) {
      for (Passed last : log) {
        if (first.entry() <= last.exit()) {
          worst = Math.max(worst, excess(log, first.entry(), last.exit()));
        }
      }
    }
    assertThat(WorstWindow.excess(log, WorstWindowProperties::granted)).isEqualTo(worst);
  }

  private static long excess(List<Passed> log, long from, long to) {
    long passed =
        log.stream()
            .filter(packet -> packet.entry() >= from && packet.exit() <= to)
            .mapToLong(Passed::tokens)
            .sum();
    return passed - (granted(to) - granted(from));
  }

  private static long granted(long time) {
    return 3 * time;
  }

  @Provide
  Arbitrary<List<Passed>> logs() {
    Arbitrary<Long> times = Arbitraries.longs().between(0, 100);
    return Combinators.combine(
            times, Arbitraries.longs().between(0, 9), Arbitraries.longs().between(1, 20))
        .as((entry, stay, tokens) -> new Passed(entry, entry + stay, tokens))
        .list()
        .ofMinSize(1)
        .ofMaxSize(40);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import dev.tokenbucket.testing.StepFailedException;
import dev.tokenbucket.testing.bench.Subject.Counted;
import dev.tokenbucket.testing.bench.Subject.Expected;
import dev.tokenbucket.testing.kernel.ProgramRuns;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Measures programs side by side: each round runs every program once, in a rotating order, so that
 * disturbances of the machine affect all of them alike.
 */
final class Rounds {
  private static final int TC_ACT_UNSPEC = -1;
  private static final int ESTIMATE_RUNS = 20_000;
  private static final int LEAST_RUNS = 1_000;

  private final ProgramRuns runs;
  private final byte[] frame = UdpFrame.plain();
  private final int rounds;
  private final Duration each;

  /**
   * @param each the approximate time that a program runs per round
   */
  Rounds(ProgramRuns runs, int rounds, Duration each) {
    this.runs = runs;
    this.rounds = rounds;
    this.each = each;
  }

  /** Nanoseconds per packet by the program's name, as the mean of each round. */
  Map<String, Spread> measure(List<Subject> subjects) {
    List<Watched> watched = subjects.stream().map(Watched::new).toList();
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < watched.size(); i++) {
        watched.get((i + round) % watched.size()).round();
      }
    }
    Map<String, Spread> spreads = new LinkedHashMap<>();
    for (Watched each : watched) {
      each.check();
      spreads.put(each.subject.name(), Spread.of(each.nanos));
    }
    return spreads;
  }

  /** A program under measurement, with a check of its verdicts. */
  private final class Watched {
    private final Subject subject;
    private final Counted before;
    private final List<Double> nanos = new ArrayList<>();
    private final long began = System.nanoTime();
    private long packets;

    Watched(Subject subject) {
      this.subject = subject;
      if (subject.expected() == Expected.EXCEED) {
        runs.run(subject.program(), frame, Math.toIntExact(2 * BenchPolicies.BURST));
      }
      this.before = subject.count();
    }

    private int run(int times) {
      packets += times;
      ProgramRuns.Run run = runs.run(subject.program(), frame, times);
      // The verdict of an EXCEED run is not checked: the drained bucket regains one token per
      // second.
      if (subject.expected() == Expected.CONFORM && run.verdict() != TC_ACT_UNSPEC) {
        throw new StepFailedException(subject.name() + ": verdict " + run.verdict(), null);
      }
      return run.nanos();
    }

    void round() {
      int estimate = Math.max(1, run(ESTIMATE_RUNS));
      nanos.add((double) run((int) Math.max(LEAST_RUNS, each.toNanos() / estimate)));
    }

    void check() {
      if (subject.counted() == null) {
        return;
      }
      Counted counted = subject.count().since(before);
      boolean allConform = subject.expected() == Expected.CONFORM;
      long granted = allConform ? packets : secondsSinceBegun();
      boolean asExpected =
          counted.packets() == packets
              && counted.conform() <= granted
              && (!allConform || counted.exceed() == 0);
      if (!asExpected) {
        throw new StepFailedException(
            "%s: of %d packets %d were counted as conforming and %d as exceeding; all were to %s"
                .formatted(
                    subject.name(),
                    packets,
                    counted.conform(),
                    counted.exceed(),
                    subject.expected()),
            null);
      }
    }

    /** The most tokens that a drained bucket may have regained. */
    private long secondsSinceBegun() {
      return Duration.ofNanos(System.nanoTime() - began).toSeconds() + 1;
    }
  }
}

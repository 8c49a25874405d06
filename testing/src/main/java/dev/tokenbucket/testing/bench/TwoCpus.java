// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import dev.tokenbucket.testing.kernel.ProgramRuns;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;

/** One program on two CPUs at once, compared with the same program on one. */
final class TwoCpus {
  private static final int ESTIMATE_RUNS = 100_000;

  private final ProgramRuns runs;
  private final byte[] frame = UdpFrame.plain();
  private final int rounds;
  private final Duration each;

  TwoCpus(ProgramRuns runs, int rounds, Duration each) {
    this.runs = runs;
    this.rounds = rounds;
    this.each = each;
  }

  static boolean available() {
    return Runtime.getRuntime().availableProcessors() > 1;
  }

  /** The throughput of CPU 0 and 1 together over the mean of each alone, round by round. */
  Spread scaling(Subject subject) {
    List<Double> ratios = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      double alone = (alone(subject, 0) + alone(subject, 1)) / 2;
      ratios.add(together(subject, packets(alone)) / alone);
    }
    return Spread.of(ratios);
  }

  /** Packets per nanosecond. */
  private double alone(Subject subject, int cpu) {
    return Pinned.start(
            runs, cpu, () -> throughput(subject, packets(throughput(subject, ESTIMATE_RUNS))))
        .result();
  }

  private double together(Subject subject, int packets) {
    CyclicBarrier start = new CyclicBarrier(2);
    List<Pinned<Double>> both = new ArrayList<>();
    for (int cpu = 0; cpu < 2; cpu++) {
      both.add(
          Pinned.start(
              runs,
              cpu,
              () -> {
                start.await();
                return throughput(subject, packets);
              }));
    }
    return both.stream().mapToDouble(Pinned::result).sum();
  }

  private double throughput(Subject subject, int packets) {
    return 1.0 / runs.run(subject.program(), frame, packets).nanos();
  }

  private int packets(double throughput) {
    return (int) Math.max(1, each.toNanos() * throughput);
  }
}

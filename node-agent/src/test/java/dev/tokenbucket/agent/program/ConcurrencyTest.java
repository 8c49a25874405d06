// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tokenbucket.agent.compile.ClassifierCompiler;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.program.Hammer.Log;
import dev.tokenbucket.agent.slots.AxisLine;
import dev.tokenbucket.agent.slots.Failures;
import dev.tokenbucket.agent.slots.PolicySlots;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Issue 5, "Exactness": two CPUs and the kernel's own clock. Needs root. */
class ConcurrencyTest extends KernelTest {
  private static final Logger LOG = LoggerFactory.getLogger(ConcurrencyTest.class);
  private static final byte[] FRAME = Frames.udp("10.0.0.2", 100);
  private static final long SECOND = 1_000_000_000L;
  private static final long HAMMERED = 3 * SECOND / 2;
  private static final long LOAD = 10 * SECOND;
  private static final int CPUS = 2;
  private static final double LONGEST_PAUSE_SECONDS = 0.3;
  private static final long PACKET = 1L << 16;

  /** V is rounded to even units. */
  private static final long ROUNDING = 2;

  @BeforeEach
  void needsCpus() {
    assumeTrue(Runtime.getRuntime().availableProcessors() >= CPUS, "needs two CPUs");
  }

  @ParameterizedTest
  @CsvSource({
    "Node, 20000, 10",
    "Node, 20000, 20000",
    "SourceIP, 20000, 10",
    "SourceIP, 20000, 6400",
  })
  void twoCpusHammeringOneBucketKeepTheBoundInEveryWindow(String per, long rate, long burst)
      throws Exception {
    Policy policy = Policy.packets(rate, burst);
    if (per.equals("SourceIP")) {
      policy = policy.perSource(10);
    }
    NodePolicy placed = policy.at(0);
    try (VirtualHook hook = VirtualHook.inRealTime(bpffs, objects, placed)) {
      Log log = new Hammer(hook, FRAME, PACKET).run(CPUS, HAMMERED, () -> {});
      AxisLine line = hook.line(placed, System.nanoTime() - 10 * SECOND);
      long worst = WorstWindow.excess(log.passed(), line::valueAt);
      long span = log.lastRefused() - log.firstRefused();
      double granted = (double) rate * span / SECOND;
      double passed = (double) log.passedUnderDemand() / PACKET;
      LOG.info(
          "{} {}/s, B {}: {} runs, {} passed, worst window {} of B; {} under demand of {} granted",
          per,
          rate,
          burst,
          log.runs(),
          log.passed().size(),
          (double) worst / PACKET,
          passed,
          granted);
      assertThat(worst).isLessThanOrEqualTo((burst + 1) * PACKET + ROUNDING);
      // Demand lasts only if no thread is kept from running for as long as the bucket takes to
      // fill.
      if (burst > rate * LONGEST_PAUSE_SECONDS) {
        assertThat(passed).isGreaterThanOrEqualTo(granted - burst / 64.0 - 1);
      }
    }
  }

  /** Each packet meets its source's bucket and the parent; the parent refuses most. */
  @Test
  void twoCpusInOneParentBucketKeepItsBoundAndItsRate() throws Exception {
    long rate = 20_000;
    long burst = 20_000;
    NodePolicy policy =
        Policy.packets(10 * rate, 10 * burst).perSource(10).withParent(rate, burst).at(0);
    try (VirtualHook hook = VirtualHook.inRealTime(bpffs, objects, policy)) {
      Log log = new Hammer(hook, FRAME, PACKET).run(CPUS, HAMMERED, () -> {});
      AxisLine line = hook.parentLine(policy, System.nanoTime() - 10 * SECOND);
      long worst = WorstWindow.excess(log.passed(), line::valueAt);
      double granted = (double) rate * (log.lastRefused() - log.firstRefused()) / SECOND;
      assertThat(worst).isLessThanOrEqualTo((burst + 1) * PACKET + ROUNDING);
      assertThat((double) log.passedUnderDemand() / PACKET)
          .isGreaterThanOrEqualTo(granted - burst / 64.0 - 1);
      assertThat(hook.counters(0).byParent()).isEqualTo(hook.counters(0).exceedPackets());
      // What the parent refused was given back, so the source has spent what passed.
      assertThat(hook.counters(0).conformPackets()).isLessThan(10 * burst);
    }
  }

  /** Changes as fast as the agent can make them, for ten seconds. Rate and burst go up and down. */
  @Test
  void updatesBackToBackUnderLoadKeepTheBoundOverTheWhole() throws Exception {
    List<Policy> policies =
        List.of(
            Policy.packets(2_000, 20),
            Policy.packets(20_000, 2_000),
            Policy.packets(500, 500),
            Policy.packets(50_000, 1));
    long largest = policies.stream().mapToLong(Policy::burst).max().orElseThrow();
    NodePolicy first = policies.get(0).at(0);
    SlotIdentity identity = SlotIdentity.of(first, 0);
    PolicySlots slots =
        new PolicySlots(
            new LinuxKernel(),
            new Pins(bpffs),
            new ClassifierCompiler(objects).compile(List.of()),
            any -> {});
    try (VirtualHook hook = VirtualHook.inRealTime(bpffs, objects, first)) {
      slots.prepare();
      Failures failures = new Failures();
      int slot =
          Objects.requireNonNull(slots.program(Map.of(identity, first), failures).get(identity));
      List<AxisLine> lines = new ArrayList<>(List.of(slots.inForce(slot)));
      long end = System.nanoTime() + LOAD;
      Log log =
          new Hammer(hook, FRAME, PACKET)
              .run(
                  CPUS,
                  LOAD,
                  () -> {
                    for (int i = 1; System.nanoTime() < end - SECOND / 5; i++) {
                      slots.program(
                          Map.of(identity, policies.get(i % policies.size()).at(0)), failures);
                      lines.add(slots.inForce(slot));
                    }
                  });
      long worst = WorstWindow.excess(log.passed(), time -> granted(lines, time));
      LOG.info(
          "{} updates, {} runs, {} passed, worst window {} of B {}",
          lines.size() - 1,
          log.runs(),
          log.passed().size(),
          (double) worst / PACKET,
          largest);
      assertThat(failures.byUid()).isEmpty();
      assertThat(lines).hasSizeGreaterThan(50);
      assertThat(worst).isLessThanOrEqualTo((largest + 1) * PACKET + ROUNDING * lines.size());
    }
  }

  /** The tokens granted by a time, along the lines in the order of their bends. */
  private static long granted(List<AxisLine> lines, long time) {
    int low = 0;
    int high = lines.size() - 1;
    while (low < high) {
      int middle = (low + high + 1) / 2;
      if (lines.get(middle).t0() <= time) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return lines.get(low).valueAt(time);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tokenbucket.agent.kernel.CpuAffinity;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.kernel.Runner;
import dev.tokenbucket.agent.layout.BucketKeyLayout;
import dev.tokenbucket.agent.layout.PlaceLayout;
import dev.tokenbucket.agent.layout.PlaceLimit;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.program.WorstWindow.Passed;
import dev.tokenbucket.agent.slots.AxisLine;
import dev.tokenbucket.agent.slots.BucketTables;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Issue 5, "Keys and the full table": the places of buckets (tables.h). Needs root. */
class BucketTablesTest extends KernelTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long HAMMERED = SECOND / 4;
  private static final int ROUNDS = 4;
  private static final int KEYS = 64;
  private static final int RUNS_A_KEY = 200;
  private static final int CPUS = 2;
  private static final int BURST = 4;
  private static final long PACKET = 1L << 16;
  private static final long ROUNDING = 4;
  private static final int ADDRESS_KEY = BucketKeyLayout.STRUCT.size();

  private static byte[] from(int net, int source) {
    return Frames.udp("10.%d.%d.%d".formatted(net, source / 250, source % 250 + 1), 100);
  }

  /** A key's passes on one thread. */
  private record PassedOf(int key, Passed passed) {}

  @Test
  void keysThatTwoCpusAddJudgeAndSweepAtOnceKeepTheirBoundsAndEveryPlace() throws Exception {
    assumeTrue(Runtime.getRuntime().availableProcessors() >= CPUS, "needs two CPUs");
    NodePolicy policy = Policy.packets(5_000, BURST).perSource(KEYS).at(0);
    int removed = 0;
    List<PassedOf> passed = new ArrayList<>();
    try (VirtualHook hook = VirtualHook.inRealTime(bpffs, objects, policy)) {
      AxisLine line = hook.line(policy, System.nanoTime());
      for (int round = 0; round < ROUNDS; round++) {
        removed += hammerAndSweep(hook, passed);
        assertThat(keys()).as("no key has two buckets").doesNotHaveDuplicates();
        assertThat(keys()).as("nor has one without an entry").hasSize(hook.sources(0).size());
      }
      assertThat(removed).as("buckets that came and went").isPositive();
      for (int key = 0; key < KEYS; key++) {
        int of = key;
        List<Passed> ofKey =
            passed.stream().filter(each -> each.key() == of).map(PassedOf::passed).toList();
        // The shared bucket judges a packet that meets the tombstone, so the packet is sent twice.
        assertThat(WorstWindow.excess(ofKey, time -> 2 * line.valueAt(time)))
            .isLessThanOrEqualTo((2 * BURST + 2) * PACKET + ROUNDING);
      }

      Thread.sleep(5);
      int rest = keys().size();
      assertThat(hook.sweepAt(0, System.nanoTime())).isEqualTo(rest);
      assertThat(keys()).isEmpty();
      long overflow = hook.counters(0).overflow();
      IntStream.range(0, KEYS).forEach(source -> hook.passes(from(2, source)));
      assertThat(hook.counters(0).overflow()).as("no place was lost").isEqualTo(overflow);
      hook.passes(from(3, 0));
      assertThat(hook.counters(0).overflow()).as("no place is there twice").isEqualTo(overflow + 1);
    }
  }

  /** Under the former hash, which had no key, all these addresses have one hint. */
  private static List<String> crafted(int count) {
    List<String> sources = new ArrayList<>();
    for (int address = 0; sources.size() < count; address++) {
      // Of 10.0.0.0/8, in network order in the first bytes of the key; in its last word version 4.
      long word = (address >> 16 & 0xffL) << 8 | (address >> 8 & 0xffL) << 16 | 10;
      word |= (address & 0xffL) << 24;
      long multiplier = 0x9e3779b97f4a7c15L;
      long hash = (word * multiplier * multiplier ^ 4) * multiplier;
      if (hash >>> 48 == 0) {
        sources.add(
            "10.%d.%d.%d".formatted(address >> 16 & 0xff, address >> 8 & 0xff, address & 0xff));
      }
    }
    return sources;
  }

  @Test
  void sourcesChosenToShareAHintHaveOneEach() {
    List<String> sources = crafted(200);
    try (VirtualHook hook = hook(Policy.packets(1, 2).perSource(sources.size()))) {
      sources.forEach(source -> assertThat(hook.passes(Frames.udp(source, 100))).isTrue());
      // Pairs share a hint by chance: 0.3 pairs are expected, and 10 pairs once in 10^13.
      assertThat(hook.hintsInUse(0)).isGreaterThanOrEqualTo(sources.size() - 1 - 10);
    }
  }

  @Test
  void placesThatTheQueueRefusesAreNotLost() {
    int sources = 300;
    Policy policy = Policy.packets(1000, 2).perSource(sources);
    try (VirtualHook hook = hook(policy)) {
      hook.limitFreePlaces(0, 1);
      for (int net = 1; net <= 3; net++) {
        for (int source = 0; source < sources; source++) {
          assertThat(hook.passes(from(net, source))).isTrue();
        }
        assertThat(hook.counters(0).overflow()).isEqualTo(net - 1);
        hook.passes(from(4, 0));
        assertThat(hook.counters(0).overflow()).as("no place is there twice").isEqualTo(net);
        hook.pass(SECOND);
        assertThat(hook.sweep(0)).isEqualTo(sources);
      }
    }
  }

  @Test
  void keysThatShareAHintKeepTheirOwnBuckets() {
    int sources = 3_000;
    Policy policy = Policy.packets(1, 2).perSource(sources);
    try (VirtualHook hook = hook(policy)) {
      for (int packet = 0; packet < 3; packet++) {
        boolean conforms = packet < 2;
        for (int source = 0; source < sources; source++) {
          assertThat(hook.passes(from(1, source))).isEqualTo(conforms);
        }
      }
      assertThat(keys()).hasSize(sources).doesNotHaveDuplicates();
    }
  }

  /** Returns how many buckets were removed meanwhile. */
  private static int hammerAndSweep(VirtualHook hook, List<PassedOf> passed) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(CPUS);
    try {
      long end = System.nanoTime() + HAMMERED;
      List<Future<List<PassedOf>>> logs = new ArrayList<>();
      for (int i = 0; i < CPUS; i++) {
        int cpu = i;
        Callable<List<PassedOf>> work = () -> hammer(cpu, hook.runner(), end);
        logs.add(threads.submit(work));
      }
      int removed = 0;
      while (System.nanoTime() < end) {
        removed += hook.sweepAt(0, System.nanoTime());
      }
      for (Future<List<PassedOf>> log : logs) {
        passed.addAll(log.get());
      }
      return removed;
    } finally {
      threads.shutdown();
    }
  }

  /** Sends with one key until its bucket is empty, and again when the bucket has long been full. */
  private static List<PassedOf> hammer(int cpu, Runner packets, long end) {
    CpuAffinity.pin(cpu);
    List<PassedOf> passed = new ArrayList<>();
    byte[][] frames = IntStream.range(0, KEYS).mapToObj(key -> from(1, key)).toArray(byte[][]::new);
    for (int run = 0; System.nanoTime() < end; run++) {
      int key = run / RUNS_A_KEY % KEYS;
      packets.load(frames[key], frames[key].length);
      long entry = System.nanoTime();
      boolean refused = packets.run(0) == Runner.DROPPED;
      if (!refused) {
        passed.add(new PassedOf(key, new Passed(entry, System.nanoTime(), PACKET)));
      }
    }
    return passed;
  }

  /** The first policy's places in use. */
  private List<ByteBuffer> keys() {
    BucketTables tables = new BucketTables(new LinuxKernel(), new Pins(bpffs));
    ByteBuffer places = tables.places(0, 0).orElseThrow();
    return IntStream.range(0, PlaceLimit.PLACES)
        .mapToObj(place -> PlaceLayout.KEY.in(PlaceLayout.STRUCT.at(places, place)))
        .map(key -> key.limit(ADDRESS_KEY))
        .filter(key -> key.getLong(ADDRESS_KEY - Long.BYTES) != 0)
        .toList();
  }
}

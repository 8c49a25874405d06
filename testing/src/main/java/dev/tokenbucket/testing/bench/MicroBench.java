// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import dev.tokenbucket.testing.bench.MicroResult.Cpus;
import dev.tokenbucket.testing.bench.MicroResult.Further;
import dev.tokenbucket.testing.bench.MicroResult.PerPacket;
import dev.tokenbucket.testing.bench.MicroResult.Program;
import dev.tokenbucket.testing.bench.Subject.Expected;
import dev.tokenbucket.testing.kernel.ProgramRuns;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The cost of a packet in the classifier, in the textbook, for a clock reading and in an empty
 * program, measured side by side.
 */
final class MicroBench {
  private static final List<Key> KEYS = List.of(Key.NODE, Key.SOURCE, Key.FLOW);
  private static final double TWO_CPUS = 1.7;
  private static final String OTHER_PORTS = "63 more policies, none matches by its port";
  private static final String OTHER_NETWORKS = "63 more policies, none matches by its source CIDR";
  private static final String NETWORKS_NEARBY =
      "63 more policies, none matches by its source CIDR in the packet's own /16";
  private static final String MANY_NETWORKS = "1,000 source CIDRs in match";

  private final ProgramRuns runs;
  private final BenchPrograms programs;
  private final Classifiers classifiers;
  private final int rounds;
  private final Duration each;

  MicroBench(
      ProgramRuns runs,
      BenchPrograms programs,
      Classifiers classifiers,
      int rounds,
      Duration each) {
    this.runs = runs;
    this.programs = programs;
    this.classifiers = classifiers;
    this.rounds = rounds;
    this.each = each;
  }

  MicroResult run() {
    List<Subject> subjects = new ArrayList<>();
    Subject empty = programs.empty();
    subjects.add(empty);
    subjects.add(programs.clock());
    for (Key key : KEYS) {
      for (Expected expected : Expected.values()) {
        subjects.add(programs.textbook(key.textbook(), textbook(key, expected), expected));
        subjects.add(
            classifiers.on(
                ours(key, expected),
                expected,
                on -> List.of(BenchPolicies.all(on, key.per(), expected))));
      }
    }
    subjects.addAll(further());
    Rounds interleaved = new Rounds(runs, rounds, each);
    Map<String, Spread> nanos = Pinned.start(runs, 0, () -> interleaved.measure(subjects)).result();
    List<Program> measured =
        subjects.stream()
            .map(
                each -> new Program(each.name(), of(nanos, each.name()), runs.size(each.program())))
            .toList();
    Subject shared =
        subjects.stream()
            .filter(subject -> subject.name().equals(ours(Key.NODE, Expected.CONFORM)))
            .findFirst()
            .orElseThrow();
    return new MicroResult(measured, perPacket(nanos), further(nanos), cpus(empty, shared));
  }

  /**
   * Cases without tokens handed out in advance, and cases that look at more than one policy or
   * network.
   */
  private List<Subject> further() {
    return List.of(
        smallBurst(Key.NODE, Expected.CONFORM),
        smallBurst(Key.NODE, Expected.EXCEED),
        smallBurst(Key.SOURCE, Expected.CONFORM),
        smallBurst(Key.SOURCE, Expected.EXCEED),
        classifiers.on(
            OTHER_PORTS,
            Expected.CONFORM,
            on -> BenchPolicies.behindOthers(on, BenchPolicies::otherPort)),
        classifiers.on(
            OTHER_NETWORKS,
            Expected.CONFORM,
            on -> BenchPolicies.behindOthers(on, BenchPolicies::otherNetwork)),
        classifiers.on(
            NETWORKS_NEARBY,
            Expected.CONFORM,
            on -> BenchPolicies.behindOthers(on, BenchPolicies::otherNetworkNearby)),
        classifiers.on(
            MANY_NETWORKS, Expected.CONFORM, on -> List.of(BenchPolicies.manyNetworks(on))));
  }

  private Subject smallBurst(Key key, Expected expected) {
    return classifiers.on(
        "%s, B = %d".formatted(ours(key, expected), BenchPolicies.SMALL_BURST),
        expected,
        on -> List.of(BenchPolicies.all(on, key.per(), expected, BenchPolicies.SMALL_BURST)));
  }

  private static List<Further> further(Map<String, Spread> nanos) {
    Spread empty = of(nanos, BenchPrograms.EMPTY);
    Spread alone = of(nanos, ours(Key.NODE, Expected.CONFORM));
    double source = of(nanos, ours(Key.SOURCE, Expected.CONFORM)).median() - empty.median();
    double textbook = of(nanos, textbook(Key.NODE, Expected.CONFORM)).median() - empty.median();
    String oneBucket = "net of a bucket per source";
    return List.of(
        Further.of(OTHER_PORTS, of(nanos, OTHER_PORTS), alone, source, oneBucket),
        Further.of(OTHER_NETWORKS, of(nanos, OTHER_NETWORKS), alone, source, oneBucket),
        Further.of(NETWORKS_NEARBY, of(nanos, NETWORKS_NEARBY), alone, source, oneBucket),
        Further.of(
            MANY_NETWORKS, of(nanos, MANY_NETWORKS), alone, textbook, "net of the textbook"));
  }

  private static String ours(Key key, Expected expected) {
    return key.title() + ", " + expected;
  }

  private static String textbook(Key key, Expected expected) {
    return "textbook " + ours(key, expected);
  }

  private static List<PerPacket> perPacket(Map<String, Spread> nanos) {
    List<PerPacket> rows = new ArrayList<>();
    for (Key key : KEYS) {
      for (Expected expected : Expected.values()) {
        rows.add(
            PerPacket.of(
                key,
                expected,
                of(nanos, ours(key, expected)),
                of(nanos, textbook(key, expected)),
                of(nanos, BenchPrograms.EMPTY),
                of(nanos, BenchPrograms.CLOCK)));
      }
    }
    return List.copyOf(rows);
  }

  private List<Cpus> cpus(Subject empty, Subject shared) {
    if (!TwoCpus.available()) {
      return List.of();
    }
    TwoCpus two = new TwoCpus(runs, rounds, each);
    return List.of(
        Cpus.of("empty program", two.scaling(empty), 0),
        Cpus.of("one node-wide bucket", two.scaling(shared), TWO_CPUS));
  }

  private static Spread of(Map<String, Spread> nanos, String name) {
    Spread spread = nanos.get(name);
    if (spread == null) {
      throw new IllegalArgumentException("not measured: " + name);
    }
    return spread;
  }
}

package dev.tokenbucket.testing.bench;

import dev.tokenbucket.testing.bench.MicroResult.Cpus;
import dev.tokenbucket.testing.bench.MicroResult.PerPacket;
import dev.tokenbucket.testing.bench.MicroResult.Program;
import dev.tokenbucket.testing.bench.Subject.Expected;
import dev.tokenbucket.testing.kernel.ProgramRuns;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What a packet costs: the classifier, the textbook, a clock reading and nothing, side by side. */
final class MicroBench {
  private static final List<Key> KEYS = List.of(Key.NODE, Key.SOURCE, Key.FLOW);
  private static final double TWO_CPUS = 1.7;

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
    return new MicroResult(measured, perPacket(nanos), List.of(), cpus(empty, shared));
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

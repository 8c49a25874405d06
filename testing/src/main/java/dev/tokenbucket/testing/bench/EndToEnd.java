package dev.tokenbucket.testing.bench;

import dev.tokenbucket.testing.StepFailedException;
import dev.tokenbucket.testing.bench.EndToEndResult.Comparison;
import dev.tokenbucket.testing.bench.EndToEndResult.Row;
import dev.tokenbucket.testing.bench.FloodedInterface.Counters;
import dev.tokenbucket.testing.bench.Limiter.Limit;
import dev.tokenbucket.testing.kernel.ProgramRuns;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Packets per second through an interface under a flood far above its limit. The classifier and
 * other limiters take turns in each round, with the same sender. Sending and receiving share one
 * CPU, so that a packet is sent only after the previous ones were handled, and none is lost in
 * between.
 */
final class EndToEnd {
  static final int MANY_SOURCES = 1_024;

  /** About a thousandth of a flood from one source passes, and a hundredth of one from many. */
  private static final Limit LIMIT = new Limit(1_000, 1_000);

  private static final Limit LIMIT_OF_MANY = new Limit(10, 10);

  private static final double NODE_GOAL = 1.05;
  private static final double SOURCE_GOAL = 1.2;
  private static final int PACKETS_A_MILLISECOND = 2_500;

  /** Packets that other software may send to a device. */
  private static final int STRAY = 10;

  private static final double LEAST_ARRIVED = 0.9;
  private static final double MOST_PASSED = 1.5;
  private static final long ARRIVAL_NANOS = Duration.ofSeconds(2).toNanos();

  private final ProgramRuns runs;
  private final FloodedInterface flooded;
  private final byte[] frame;
  private final int rounds;
  private final int packets;

  EndToEnd(ProgramRuns runs, FloodedInterface flooded, int rounds, Duration each) {
    this.runs = runs;
    this.flooded = flooded;
    this.frame = UdpFrame.to(flooded.linkAddress());
    this.rounds = rounds;
    this.packets = Math.toIntExact(each.toMillis() * PACKETS_A_MILLISECOND);
  }

  /** The limiters that take part. */
  record Limiters(
      List<Limiter> references,
      Limiter node,
      Limiter nodePeer,
      Limiter source,
      List<Limiter> sourcePeers) {}

  /**
   * Runs all rounds.
   *
   * @param oneSource the program that sends from one address
   * @param manySources the program that sends from {@link #MANY_SOURCES}
   */
  EndToEndResult run(Limiters limiters, int oneSource, int manySources) {
    List<Contender> references =
        limiters.references().stream().map(l -> new Contender(l, oneSource, 1)).toList();
    Contender node = new Contender(limiters.node(), oneSource, 1);
    Contender nodePeer = new Contender(limiters.nodePeer(), oneSource, 1);
    List<Contender> one = perSource(limiters, oneSource, 1);
    List<Contender> many = perSource(limiters, manySources, MANY_SOURCES);
    List<Contender> all =
        Stream.of(references, List.of(node, nodePeer), one, many).flatMap(List::stream).toList();
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < all.size(); i++) {
        all.get((i + round) % all.size()).round(round);
      }
    }
    return new EndToEndResult(
        packets,
        all.stream().map(Contender::row).toList(),
        List.of(
            compared(node, List.of(nodePeer), NODE_GOAL),
            compared(one.get(0), one.subList(1, one.size()), SOURCE_GOAL),
            compared(many.get(0), many.subList(1, many.size()), SOURCE_GOAL)));
  }

  private List<Contender> perSource(Limiters limiters, int sender, int sources) {
    return Stream.concat(Stream.of(limiters.source()), limiters.sourcePeers().stream())
        .map(limiter -> new Contender(limiter, sender, sources))
        .toList();
  }

  /** The classifier's throughput over that of its faster peer. */
  private static Comparison compared(Contender ours, List<Contender> peers, double goal) {
    Contender faster =
        peers.stream()
            .max(Comparator.comparingDouble(peer -> peer.spread().median()))
            .orElseThrow();
    return Comparison.of(
        ours.limiter.title(),
        faster.limiter.title(),
        ours.sources,
        Spread.ratio(ours.perSecond, faster.perSecond),
        goal);
  }

  /** A limiter under a flood from this number of sources. */
  private final class Contender {
    private final Limiter limiter;
    private final int sender;
    private final int sources;
    private final double[] perSecond = new double[rounds];

    Contender(Limiter limiter, int sender, int sources) {
      this.limiter = limiter;
      this.sender = sender;
      this.sources = sources;
    }

    Spread spread() {
      return Spread.of(Arrays.stream(perSecond).boxed().toList());
    }

    Limit limit() {
      return sources == 1 ? LIMIT : LIMIT_OF_MANY;
    }

    Row row() {
      return new Row(limiter.title(), sources, limit(), spread());
    }

    void round(int number) {
      limiter.install().accept(limit());
      try {
        Counters before = flooded.counters();
        long began = System.nanoTime();
        runs.sendLive(sender, frame, packets);
        awaitArrival(before.arrived() + packets, began + ARRIVAL_NANOS);
        double seconds = (System.nanoTime() - began) / 1e9;
        Counters there = flooded.counters().since(before);
        check(there, seconds);
        perSecond[number] = there.arrived() / seconds;
      } finally {
        limiter.remove().run();
      }
    }

    /**
     * Checks that the limiter did the work. Packets lost on the way would look like a fast limiter.
     */
    private void check(Counters there, double seconds) {
      double granted = sources * (limit().burst() + 1 + limit().rate() * seconds) * MOST_PASSED;
      boolean right =
          there.arrived() >= packets * LEAST_ARRIVED
              && switch (limiter.passes()) {
                case EVERYTHING -> there.passed() >= there.arrived() - STRAY;
                case NOTHING -> there.passed() == 0;
                case WHAT_THE_RATE_GRANTS ->
                    there.passed() > 0 && there.passed() <= Math.min(packets, granted);
              };
      if (!right) {
        throw new StepFailedException(
            "%s, %d sources: of %d packets %d arrived and %d passed in %.3f s"
                .formatted(
                    limiter.title(), sources, packets, there.arrived(), there.passed(), seconds),
            null);
      }
    }
  }

  private void awaitArrival(long packets, long latest) {
    while (flooded.arrived() < packets && System.nanoTime() < latest) {
      Thread.onSpinWait();
    }
  }
}

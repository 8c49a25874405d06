// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import dev.tokenbucket.testing.StepFailedException;
import dev.tokenbucket.testing.bench.EndToEndResult.Comparison;
import dev.tokenbucket.testing.bench.EndToEndResult.Row;
import dev.tokenbucket.testing.bench.FloodedInterface.Counters;
import dev.tokenbucket.testing.bench.Limiter.Limit;
import dev.tokenbucket.testing.kernel.ProgramRuns;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Packets per second through an interface under a flood far above its limit. The classifier and
 * other limiters take turns in each round, with the same sender. Sending and receiving share one
 * CPU, so that a packet is sent only after the previous ones were handled, and none is lost in
 * between.
 */
final class EndToEnd {
  /** About a thousandth of a flood from one source passes, and a hundredth of one from many. */
  private static final Limit LIMIT = new Limit(1_000, 1_000);

  private static final Limit LIMIT_OF_MANY = new Limit(10, 10);

  private static final double NODE_GOAL = 1.05;
  private static final double SOURCE_GOAL = 1.2;

  /** Against a peer, with more sources than a table holds; and against the same with one source. */
  private static final double FLOOD_GOAL = 2;

  private static final double FLOOD_SHARE_GOAL = 0.9;

  /** At XDP: against a peer, and against a program that drops everything there. */
  private static final double XDP_GOAL = 2.5;

  private static final double XDP_SHARE_GOAL = 0.75;
  private static final int PACKETS_A_MILLISECOND = 2_500;

  /** Places among the contenders per source. */
  private static final int AT_XDP = 1;

  private static final int FIRST_PEER = 3;

  /** Packets sent before a measurement, in measurements: they fill the tables. */
  private static final double WARM_UP = 0.5;

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
      Limiter xdpReference,
      Limiter node,
      Limiter nodePeer,
      Limiter source,
      Limiter xdpSource,
      Limiter evictingSource,
      List<Limiter> sourcePeers) {}

  /**
   * Runs all rounds.
   *
   * @param senders the programs that send
   */
  EndToEndResult run(Limiters limiters, Map<Sources, Integer> senders) {
    List<Contender> references =
        limiters.references().stream().map(each -> of(each, Sources.ONE, senders)).toList();
    Contender xdpReference = of(limiters.xdpReference(), Sources.ONE, senders);
    Contender node = of(limiters.node(), Sources.ONE, senders);
    Contender nodePeer = of(limiters.nodePeer(), Sources.ONE, senders);
    Map<Sources, List<Contender>> perSource = new EnumMap<>(Sources.class);
    for (Sources sources : Sources.values()) {
      perSource.put(sources, perSource(limiters, sources, senders));
    }
    List<Contender> all =
        Stream.concat(
                Stream.concat(references.stream(), Stream.of(xdpReference, node, nodePeer)),
                perSource.values().stream().flatMap(List::stream))
            .toList();
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < all.size(); i++) {
        all.get((i + round) % all.size()).round(round);
      }
    }
    return new EndToEndResult(
        packets,
        all.stream().map(Contender::row).toList(),
        Stream.concat(
                comparisons(node, nodePeer, perSource).stream(),
                atXdp(xdpReference, perSource).stream())
            .toList());
  }

  private static Contender first(Map<Sources, List<Contender>> perSource, Sources sources) {
    return Objects.requireNonNull(perSource.get(sources)).get(0);
  }

  private static List<Comparison> comparisons(
      Contender node, Contender nodePeer, Map<Sources, List<Contender>> perSource) {
    List<Comparison> comparisons = new ArrayList<>();
    comparisons.add(compared(node, List.of(nodePeer), NODE_GOAL));
    perSource.forEach(
        (sources, each) ->
            comparisons.add(
                compared(
                    each.get(0),
                    each.subList(FIRST_PEER, each.size()),
                    exceedsTable(sources) ? FLOOD_GOAL : SOURCE_GOAL)));
    Contender one = first(perSource, Sources.ONE);
    perSource.forEach(
        (sources, each) -> {
          if (exceedsTable(sources)) {
            comparisons.add(ofOneSource(each.get(0), one));
          }
        });
    return comparisons;
  }

  private static List<Comparison> atXdp(
      Contender reference, Map<Sources, List<Contender>> perSource) {
    List<Comparison> comparisons = new ArrayList<>();
    perSource.forEach(
        (sources, each) -> {
          Contender xdp = each.get(AT_XDP);
          comparisons.add(compared(xdp, each.subList(FIRST_PEER, each.size()), XDP_GOAL));
          comparisons.add(compared(xdp, List.of(reference), XDP_SHARE_GOAL));
        });
    return comparisons;
  }

  private static boolean exceedsTable(Sources sources) {
    return sources.count() > Sources.TABLE.count();
  }

  private static Comparison ofOneSource(Contender many, Contender one) {
    return Comparison.of(
        many.limiter.title(),
        "the same with one source",
        many.sources,
        Spread.ratio(many.perSecond, one.perSecond),
        FLOOD_SHARE_GOAL);
  }

  private Contender of(Limiter limiter, Sources sources, Map<Sources, Integer> senders) {
    return new Contender(limiter, Objects.requireNonNull(senders.get(sources)), sources);
  }

  /** Ours, ours at XDP, ours that evicts, and the peers. */
  private List<Contender> perSource(
      Limiters limiters, Sources sources, Map<Sources, Integer> senders) {
    return Stream.concat(
            Stream.of(limiters.source(), limiters.xdpSource(), limiters.evictingSource()),
            limiters.sourcePeers().stream())
        .map(limiter -> of(limiter, sources, senders))
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

  /** A limiter under a flood. */
  private final class Contender {
    private final Limiter limiter;
    private final int sender;
    private final Sources sources;
    private final double[] perSecond = new double[rounds];

    Contender(Limiter limiter, int sender, Sources sources) {
      this.limiter = limiter;
      this.sender = sender;
      this.sources = sources;
    }

    Spread spread() {
      return Spread.of(Arrays.stream(perSecond).boxed().toList());
    }

    Limit limit() {
      return sources == Sources.ONE ? LIMIT : LIMIT_OF_MANY;
    }

    Row row() {
      return new Row(limiter.title(), sources, limit(), spread());
    }

    void round(int number) {
      limiter.install().accept(limit());
      try {
        Counters installed = flooded.counters();
        double warming = send((int) (packets * WARM_UP));
        Counters before = flooded.counters();
        double seconds = send(packets);
        Counters there = flooded.counters();
        check(there.since(before), there.since(installed).passed(), warming + seconds);
        perSecond[number] = there.since(before).arrived() / seconds;
      } finally {
        limiter.remove().run();
      }
    }

    /** Sends packets and awaits them; returns how many seconds that took. */
    private double send(int count) {
      long before = flooded.arrived();
      long began = System.nanoTime();
      runs.sendLive(sender, frame, count);
      awaitArrival(before + count, began + ARRIVAL_NANOS);
      return (System.nanoTime() - began) / 1e9;
    }

    /**
     * Checks that the limiter did the work. Packets lost on the way would look like a fast limiter.
     *
     * @param passed packets that passed in these seconds, since the limiter was installed
     */
    private void check(Counters there, long passed, double seconds) {
      double granted =
          sources.count() * (limit().burst() + 1 + limit().rate() * seconds) * MOST_PASSED;
      boolean right =
          there.arrived() >= packets * LEAST_ARRIVED
              && switch (limiter.passes()) {
                case EVERYTHING -> there.passed() >= there.arrived() - STRAY;
                case NOTHING -> there.passed() == 0;
                case WHAT_THE_RATE_GRANTS ->
                    passed > 0 && passed <= Math.min(packets * (1 + WARM_UP), granted);
              };
      if (!right) {
        throw new StepFailedException(
            "%s, %s sources: of %d packets %d arrived and %d passed in %.3f s"
                .formatted(
                    limiter.title(),
                    sources.text(),
                    packets,
                    there.arrived(),
                    there.passed(),
                    seconds),
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

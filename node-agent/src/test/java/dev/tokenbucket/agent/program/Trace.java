// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/**
 * What arrives at a hook with some policies, and when.
 *
 * @param policies in their order
 */
record Trace(List<Limit> policies, List<Event> events) {
  /** {@code PROPOSAL_AHEAD} of parameters.bpf.c, and one more. */
  private static final int LEAD = 10_001;

  private static final int CAPACITY = 64;
  private static final int SOURCES = 6;
  private static final int MAX_POLICIES = 3;
  private static final int MAX_EVENTS = 40;
  private static final long YEAR = 365L * 86_400 * 1_000_000_000;

  /** A policy's key, rate and burst. */
  record Limit(RateUnit unit, BucketPer per, long rate, long burst) {
    NodePolicy at(int position) {
      Policy policy =
          unit == RateUnit.Bits ? Policy.bytes(rate, burst) : Policy.packets(rate, burst);
      return policy.per(per, CAPACITY).at(position);
    }

    private double tokenNanos() {
      return (unit == RateUnit.Bits ? 8e9 : 1e9) / rate;
    }

    /** In which the bucket fills. */
    double fillNanos() {
      return burst * tokenNanos();
    }

    /** In which the axis makes half a turn; a bucket idle for longer may be found emptier. */
    double axisNanos() {
      return Math.pow(2, unit == RateUnit.Bits ? 59 : 47) * tokenNanos();
    }

    Limit with(long newRate, long newBurst) {
      return new Limit(unit, per, newRate, newBurst);
    }
  }

  sealed interface Event {}

  /** Equal packets at one moment, each merged from this many segments. */
  record Burst(int packets, int source, int length, int segments) implements Event {}

  record Idle(long nanos) implements Event {}

  /**
   * An update of a policy's parameters: the rate bends some time ahead, the burst is new at once.
   */
  record Update(int policy, long rate, long burst, long ahead) implements Event {}

  /** The sweeper looks at a policy's buckets. */
  record Sweep(int policy) implements Event {}

  /**
   * Any trace.
   *
   * @param packets bursts in packets
   * @param bytes bursts in bytes
   */
  static Arbitrary<Trace> traces(Arbitrary<Long> packets, Arbitrary<Long> bytes) {
    Arbitrary<Limit> limits = Arbitraries.oneOf(packetLimits(packets), byteLimits(bytes));
    return limits
        .list()
        .ofMinSize(1)
        .ofMaxSize(MAX_POLICIES)
        .flatMap(
            policies ->
                events(policies, packets, bytes)
                    .list()
                    .ofMinSize(5)
                    .ofMaxSize(MAX_EVENTS)
                    .map(events -> new Trace(policies, events)));
  }

  private static Arbitrary<Limit> packetLimits(Arbitrary<Long> bursts) {
    return Combinators.combine(keys(), powers(1, 1e8), bursts)
        .as((per, rate, burst) -> new Limit(RateUnit.Packets, per, rate, burst));
  }

  private static Arbitrary<Limit> byteLimits(Arbitrary<Long> bursts) {
    return Combinators.combine(keys(), powers(1e4, 1e11), bursts)
        .as((per, rate, burst) -> new Limit(RateUnit.Bits, per, rate, burst));
  }

  private static Arbitrary<BucketPer> keys() {
    return Arbitraries.of(
        BucketPer.Node, BucketPer.SourceIP, BucketPer.SourceAndDestinationIP, BucketPer.Flow);
  }

  /** Numbers of which each order of magnitude is equally frequent. */
  private static Arbitrary<Long> powers(double low, double high) {
    return Arbitraries.doubles()
        .between(0, 1)
        .map(part -> Math.round(low * Math.pow(high / low, part)));
  }

  private static Arbitrary<Event> events(
      List<Limit> policies, Arbitrary<Long> packets, Arbitrary<Long> bytes) {
    Arbitrary<Integer> policy = Arbitraries.integers().between(0, policies.size() - 1);
    return Arbitraries.frequencyOf(
        Tuple.of(20, bursts()),
        Tuple.of(16, idles(policies)),
        Tuple.of(1, policy.flatMap(i -> updates(i, policies.get(i).unit(), packets, bytes))),
        Tuple.of(1, policy.map(Sweep::new)));
  }

  private static Arbitrary<Event> bursts() {
    return Combinators.combine(
            Arbitraries.frequencyOf(
                Tuple.of(3, Arbitraries.integers().between(1, 4)),
                Tuple.of(1, Arbitraries.integers().between(5, 80))),
            Arbitraries.integers().between(0, SOURCES - 1),
            Arbitraries.integers().between(60, 1514),
            Arbitraries.frequencyOf(
                Tuple.of(6, Arbitraries.just(1)),
                Tuple.of(1, Arbitraries.integers().between(2, 44))))
        .as(Burst::new);
  }

  /** From a nanosecond to years, mostly of the order in which a bucket fills. */
  private static Arbitrary<Event> idles(List<Limit> policies) {
    double fills = policies.stream().mapToDouble(Limit::fillNanos).min().orElseThrow();
    double turns = policies.stream().mapToDouble(Limit::axisNanos).min().orElseThrow();
    double longest = Math.min(turns / MAX_EVENTS, (double) YEAR);
    double usual = Math.min(Math.max(2, 2 * fills), longest);
    return Arbitraries.frequencyOf(
        Tuple.of(10, powers(Math.max(1, usual / 1e4), usual).map(Idle::new)),
        Tuple.of(1, powers(1, longest).map(Idle::new)));
  }

  private static Arbitrary<Event> updates(
      int policy, RateUnit unit, Arbitrary<Long> packets, Arbitrary<Long> bytes) {
    boolean bits = unit == RateUnit.Bits;
    return Combinators.combine(
            bits ? powers(1e4, 1e11) : powers(1, 1e8), bits ? bytes : packets, powers(LEAD, 1e9))
        .as((rate, burst, ahead) -> new Update(policy, rate, burst, ahead));
  }
}

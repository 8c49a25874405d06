// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.suggest;

import dev.tokenbucket.agent.suggest.Limit.Outcome;
import dev.tokenbucket.api.v1alpha1.RateUnit;

/** Finds the lowest rate that refuses no more than a wanted share of packets. Pure. */
public final class Suggester {
  /** The highest rates that policies may have. */
  private static final long MOST_PACKETS = 10_000_000_000L;

  private static final long MOST_BYTES = 10_000_000_000_000L / 8;

  /** The least burst, in full packets, like the API's default. */
  private static final long LEAST_PACKETS = 10;

  private static final long FULL_FRAME = 1514;

  /** The share of the trace that a limit is fitted to, if the rest is used to test the limit. */
  private static final double FITTED = 0.75;

  private final RateUnit unit;
  private final double share;
  private final double burstSeconds;

  /**
   * @param unit packets or bits; a token is a packet or a byte
   * @param share the share of packets that may be refused, from 0 to 1
   * @param burstSeconds how many seconds' worth of the rate a key may send in one burst
   */
  public Suggester(RateUnit unit, double share, double burstSeconds) {
    this.unit = unit;
    this.share = share;
    this.burstSeconds = burstSeconds;
  }

  /**
   * A limit, and the evidence for it.
   *
   * @param outcome the outcome on all packets
   * @param half the outcome at half the rate and burst
   * @param twice the outcome at twice the rate and burst
   * @param heldOut the outcome, on the last quarter of the time, of a limit fitted to the first
   *     three
   */
  public record Suggestion(
      Limit limit, Outcome outcome, Outcome half, Outcome twice, Outcome heldOut) {}

  /** Suggests a limit. */
  public Suggestion suggest(Trace trace) {
    int all = trace.size();
    Limit limit = fit(trace, 0, all);
    int fitted = trace.from((long) (FITTED * trace.duration()));
    return new Suggestion(
        limit,
        limit.on(trace, 0, all),
        at(limit.rate() / 2).on(trace, 0, all),
        at(2 * limit.rate()).on(trace, 0, all),
        fit(trace, 0, fitted).on(trace, fitted, all));
  }

  /** The lowest rate that refuses no more than the wanted share of these packets. */
  public Limit fit(Trace trace, int from, int to) {
    long low = 1;
    long high = unit == RateUnit.Bits ? MOST_BYTES : MOST_PACKETS;
    while (low < high) {
      // The geometric middle while the bounds are far apart.
      long middle = high / 4 > low ? (long) Math.sqrt((double) low * high) : low + (high - low) / 2;
      if (at(middle).on(trace, from, to).share() <= share) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return at(low);
  }

  private Limit at(long rate) {
    long atRate = (long) Math.ceil(Math.max(1, rate) * burstSeconds);
    long least = LEAST_PACKETS * (unit == RateUnit.Bits ? FULL_FRAME : 1);
    return new Limit(Math.max(1, rate), Math.max(least, atRate));
  }
}

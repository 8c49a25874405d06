// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import org.jspecify.annotations.Nullable;

/**
 * How many tokens a bucket regains per period: packets, bits or connections; or a percentage of the
 * link's speed.
 */
public record TokenRate(RateUnit unit, long amount, RatePeriod period) {
  private static final long BITS_PER_PERCENT_OF_MEGABIT = 10_000;

  /**
   * A rate as JSON has it.
   *
   * @param period absent: a second
   */
  public static TokenRate of(RateUnit unit, long amount, @Nullable RatePeriod period) {
    return new TokenRate(unit, amount, period == null ? RatePeriod.Second : period);
  }

  public static TokenRate perSecond(RateUnit unit, long amount) {
    return new TokenRate(unit, amount, RatePeriod.Second);
  }

  /**
   * The same rate per the shortest period for which it is a whole number: 60 a minute is 1 a
   * second.
   */
  public TokenRate reduced() {
    for (RatePeriod shorter : RatePeriod.values()) {
      int periods = period.seconds() / shorter.seconds();
      if (amount % periods == 0) {
        return new TokenRate(unit, amount / periods, shorter);
      }
    }
    return this;
  }

  /**
   * This percentage of a link's speed, in bits per second, exact.
   *
   * @param megabits the link's speed in Mbit/s
   */
  TokenRate ofLinkSpeed(long megabits) {
    if (unit != RateUnit.PercentOfLinkSpeed) {
      throw new IllegalStateException(text() + " does not depend on the speed of a link");
    }
    return perSecond(RateUnit.Bits, amount * megabits * BITS_PER_PERCENT_OF_MEGABIT);
  }

  /** The period for JSON, which omits a second. */
  public @Nullable RatePeriod periodUnlessSecond() {
    return period == RatePeriod.Second ? null : period;
  }

  /** The rate for people, exact: 1k packets/s, 6 connections/min. */
  public String text() {
    return unit.rateText(amount, period);
  }
}

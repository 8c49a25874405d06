// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.math.BigInteger;

/**
 * The tokens that a policy has granted by a moment, without rounding, in units of which a token has
 * {@link #TOKEN}.
 */
final class ExactAxis {
  private static final BigInteger NANOS = BigInteger.valueOf(1_000_000_000);

  /** A rate of N bits per second gives N eighths of a byte per second. */
  static final BigInteger TOKEN = NANOS.shiftLeft(3);

  private final RateUnit unit;
  private BigInteger v0 = BigInteger.ZERO;
  private long t0;
  private BigInteger rateBefore;
  private BigInteger rate;

  ExactAxis(RateUnit unit, long rate, long start) {
    this.unit = unit;
    this.rate = parts(rate);
    rateBefore = this.rate;
    t0 = start;
  }

  private BigInteger parts(long perSecond) {
    BigInteger rate = BigInteger.valueOf(perSecond);
    return unit == RateUnit.Bits ? rate : rate.shiftLeft(3);
  }

  static BigInteger tokens(long tokens) {
    return TOKEN.multiply(BigInteger.valueOf(tokens));
  }

  BigInteger at(long moment) {
    return v0.add(BigInteger.valueOf(moment - t0).multiply(moment < t0 ? rateBefore : rate));
  }

  /** From a moment on another rate holds. */
  void bend(long moment, long perSecond) {
    v0 = at(moment);
    t0 = moment;
    rateBefore = rate;
    rate = parts(perSecond);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import java.math.BigInteger;

/**
 * The oracle: a token bucket as the textbooks have it, in whole numbers that nothing is rounded to.
 * It holds at most B, gains what its axis grants, and a packet takes its cost where the bucket
 * holds that much, or is full.
 */
final class ExactBucket {
  private final ExactAxis axis;
  private BigInteger spent;
  private long fullAt;

  /** A bucket that is full at a moment. */
  ExactBucket(ExactAxis axis, long moment, long burst) {
    this.axis = axis;
    spent = axis.at(moment).subtract(ExactAxis.tokens(burst));
    fullAt = moment;
  }

  /**
   * What it holds beyond what this packet needs, in parts of a token; negative where too little.
   */
  BigInteger beyondNeed(long moment, long cost, long burst) {
    return held(moment, burst).subtract(ExactAxis.tokens(Math.min(cost, burst)));
  }

  BigInteger held(long moment, long burst) {
    return axis.at(moment).subtract(spent).min(ExactAxis.tokens(burst));
  }

  void take(long moment, long cost, long burst) {
    BigInteger full = axis.at(moment).subtract(ExactAxis.tokens(burst));
    if (spent.compareTo(full) <= 0) {
      fullAt = moment;
    }
    spent = spent.max(full).add(ExactAxis.tokens(cost));
  }

  /** When it was last known to be full: since then a rate that is off by a little adds up. */
  long fullAt() {
    return fullAt;
  }
}

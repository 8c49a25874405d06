// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import java.math.BigInteger;

/**
 * The oracle: a textbook token bucket in exact whole numbers. It holds at most B and gains what its
 * axis grants. A packet takes its cost if the bucket holds that much or is full.
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
   * The tokens beyond the need of this packet, in parts of a token; negative if the bucket holds
   * too few.
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

  /**
   * The time when the bucket was last known to be full. The error of the rate adds up from then on.
   */
  long fullAt() {
    return fullAt;
  }
}

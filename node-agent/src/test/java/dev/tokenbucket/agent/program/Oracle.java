// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.program.Trace.Limit;
import dev.tokenbucket.agent.slots.AxisLine;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.math.BigInteger;
import java.util.HashMap;
import java.util.Map;

/**
 * Judges one policy's verdicts by {@link ExactBucket}s. A verdict may differ from the exact one by
 * what the header of token_axis.h says of rounding, and a packet may be refused for what is handed
 * out in advance, and for excess that is remembered: B/64 at most each. Beyond that it must be
 * equal.
 */
final class Oracle {
  /** V is rounded to even units; v0 of a bend is, too. */
  private static final long ROUNDING = 2;

  private static final long ROUNDING_OF_A_BEND = 3;

  /** A rate is rounded to 2^-40 units per nanosecond: less than a unit in this many nanoseconds. */
  private static final long UNIT_OF_DRIFT = 1L << 41;

  private final ExactAxis axis;
  private final BigInteger unit;
  private final Map<Integer, ExactBucket> buckets = new HashMap<>();
  private Limit limit;
  private long handedOut;
  private long remembered;
  private long bends;

  /**
   * @param line the classifier's parameters, of which the part handed out in advance is meant
   */
  Oracle(Limit limit, AxisLine line, long start) {
    this.limit = limit;
    axis = new ExactAxis(limit.unit(), limit.rate(), start);
    unit = ExactAxis.TOKEN.shiftRight(limit.unit() == RateUnit.Bits ? 4 : 16).add(BigInteger.ONE);
    handedOut = handedOut(line);
    remembered = line.memory();
  }

  private static long handedOut(AxisLine line) {
    return line.burst() - line.window();
  }

  /** Units of the axis that a bucket may not give though it holds them. */
  long withheld() {
    return handedOut + remembered;
  }

  Limit limit() {
    return limit;
  }

  /** From now on the burst is the new one, from t0 on the rate. */
  void update(Limit to, AxisLine line, long t0) {
    axis.bend(t0, to.rate());
    limit = to;
    handedOut = Math.max(handedOut, handedOut(line));
    remembered = Math.max(remembered, line.memory());
    bends++;
  }

  /** Asserts that the verdict on a packet is right, and goes on from it. */
  void judge(long now, int source, long cost, boolean passed) {
    int key = limit.per() == BucketPer.Node ? 0 : source;
    long burst = limit.burst();
    ExactBucket bucket = buckets.computeIfAbsent(key, k -> new ExactBucket(axis, now, burst));
    BigInteger beyond = bucket.held(now, burst).subtract(ExactAxis.tokens(Math.min(cost, burst)));
    BigInteger rounding = rounding(now, bucket);
    if (passed) {
      // A super-packet passes a bucket that holds all that is not handed out.
      BigInteger lacking = cost > burst - handedOutTokens() ? units(handedOut) : BigInteger.ZERO;
      assertThat(beyond)
          .as("%s passed", this)
          .isGreaterThanOrEqualTo(rounding.add(lacking).negate());
      bucket.take(now, cost, burst);
    } else {
      assertThat(beyond).as("%s was refused", this).isLessThan(rounding.add(units(withheld())));
    }
  }

  private long handedOutTokens() {
    return (handedOut >> (limit.unit() == RateUnit.Bits ? 4 : 16)) + 1;
  }

  private BigInteger rounding(long now, ExactBucket bucket) {
    long drift = (now - bucket.fullAt()) / UNIT_OF_DRIFT + 1;
    return units(ROUNDING + ROUNDING_OF_A_BEND * bends + drift);
  }

  private BigInteger units(long units) {
    return unit.multiply(BigInteger.valueOf(units));
  }

  @Override
  public String toString() {
    return limit.toString();
  }
}

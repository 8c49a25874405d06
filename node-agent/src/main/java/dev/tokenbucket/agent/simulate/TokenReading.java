// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.simulate;

import dev.tokenbucket.agent.layout.AxisScale;
import dev.tokenbucket.agent.slots.AxisLine;
import dev.tokenbucket.api.v1alpha1.RateUnit;

/** The tokens in a bucket, in the policy's unit, from the bucket's position on the axis. Pure. */
public final class TokenReading {
  /** BUCKET_AHEAD of token_bucket.h: a bucket further ahead has idled, and is full. */
  private static final long AHEAD = 1L << 58;

  private TokenReading() {}

  /**
   * The tokens in a bucket.
   *
   * @param position the bucket's position; 0 for an unused one
   * @param reserved the reserve of all CPUs, in units of the axis
   */
  public static double tokens(
      RateUnit unit, AxisLine line, long position, long reserved, long now) {
    long held = line.valueAt(now) - position;
    boolean full = held > line.window() || held < -AHEAD;
    long units = (full ? line.window() : held) + reserved;
    return inTokens(unit, Math.min(units, line.burst()));
  }

  /** Converts units of the axis to the policy's tokens. */
  public static double inTokens(RateUnit unit, long units) {
    return units / (double) scale(unit);
  }

  private static long scale(RateUnit unit) {
    return 1L << (unit == RateUnit.Bits ? AxisScale.AXIS_BYTE_SHIFT : AxisScale.AXIS_PACKET_SHIFT);
  }
}

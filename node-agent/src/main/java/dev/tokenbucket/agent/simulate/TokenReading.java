package dev.tokenbucket.agent.simulate;

import dev.tokenbucket.agent.layout.AxisScale;
import dev.tokenbucket.agent.slots.AxisLine;
import dev.tokenbucket.api.v1alpha1.RateUnit;

/** What a bucket holds, in the policy's tokens, from its place on the axis. Pure. */
public final class TokenReading {
  /** BUCKET_AHEAD of token_bucket.h: what is further ahead has idled, and is full. */
  private static final long AHEAD = 1L << 58;

  private TokenReading() {}

  /**
   * What a bucket holds.
   *
   * @param position of the bucket; 0 of one that nobody has used
   * @param reserved by CPUs, in units of the axis
   */
  public static double tokens(
      RateUnit unit, AxisLine line, long position, long reserved, long now) {
    long held = line.valueAt(now) - position;
    boolean full = held > line.window() || held < -AHEAD;
    long units = (full ? line.window() : held) + reserved;
    return inTokens(unit, Math.min(units, line.burst()));
  }

  /** Units of the axis in the policy's tokens. */
  public static double inTokens(RateUnit unit, long units) {
    return units / (double) scale(unit);
  }

  private static long scale(RateUnit unit) {
    return 1L << (unit == RateUnit.Bits ? AxisScale.AXIS_BYTE_SHIFT : AxisScale.AXIS_PACKET_SHIFT);
  }
}

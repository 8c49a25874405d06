// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

/**
 * A policy's parameters, {@code struct axis_line} of token_axis.h, in the two parts that a packet
 * can read at different moments. Tokens are in units of which a packet has {@link #PACKET}.
 */
record Line(Axis axis, Window window) {
  static final long PACKET = 1L << 16;
  static final int FRACTION = 40;

  /**
   * V(t) = v0 + (t - t0) times the rate; rates are units per nanosecond, 40 bits of them fraction.
   */
  record Axis(long v0, long t0, long rateBefore, long rate) {
    /** V, even, as {@code axis_value} works it out. */
    long valueAt(long now, boolean signedTime) {
      boolean before = signedTime && now - t0 < 0;
      long v = before ? v0 - granted(t0 - now, rateBefore) : v0 + granted(now - t0, rate);
      return v & ~1L;
    }

    private static long granted(long nanos, long rate) {
      long high = Math.multiplyHigh(nanos, rate) + (nanos < 0 ? rate : 0);
      return (high << (64 - FRACTION)) | ((nanos * rate) >>> FRACTION);
    }

    /** The axis that leaves this one at a moment. */
    Axis bentAt(long moment, long newRate) {
      return new Axis(valueAt(moment, true), moment, rate, newRate);
    }
  }

  /**
   * B and what is handed out of it in advance.
   *
   * @param batch what a packet may prepay; {@link #PACKET} where nothing is prepaid
   * @param reserve what each CPU may hold of a bucket that all share; 0 where none is held
   */
  record Window(long burst, long batch, long reserve) {}

  /** A rate in the axis' units. */
  static long rate(double packetsPerSecond) {
    return Math.round(packetsPerSecond * PACKET * (1L << FRACTION) / 1e9);
  }
}

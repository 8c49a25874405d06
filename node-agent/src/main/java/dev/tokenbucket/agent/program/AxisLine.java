package dev.tokenbucket.agent.program;

import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A policy's parameters as the classifier has them: {@code struct axis_line} of token_axis.h. A
 * packet is 2^16 units, a byte 2^4; rates are in units a nanosecond with 40 fractional bits.
 */
public record AxisLine(
    long v0,
    long t0,
    long rateBefore,
    long rate,
    long window,
    long batch,
    long cheapest,
    long generation) {
  /** Bytes of the C structure. */
  public static final int SIZE = 64;

  /** V at a policy's start: further than any burst, so that a zeroed bucket is full. */
  static final long V_START = 1L << 60;

  private static final int PACKET_SHIFT = 16;
  private static final int BYTE_SHIFT = 4;
  private static final int FRACTION = 40;
  private static final long MAX_BATCH_PACKETS = 32;
  private static final long FULL_FRAME = 1514;
  private static final BigInteger NANOS = BigInteger.valueOf(1_000_000_000);

  /**
   * The line of a rate and a burst that begins at {@code t0}.
   *
   * @param rate packets a second from 1 to 10^10, or bits a second from 8 to 10^13
   * @param burst packets from 1, or bytes from 1514, to 2^40
   */
  public static AxisLine of(RateUnit unit, long rate, long burst, long generation, long t0) {
    long fixed = encodeRate(unit, rate);
    int shift = shift(unit);
    long cheapest = 1L << shift;
    long batch = Math.max(cheapest, batch(unit, burst) << shift);
    long window = (burst << shift) - (batch - cheapest);
    return new AxisLine(V_START, t0, fixed, fixed, window, batch, cheapest, generation);
  }

  /** At most B/64; nothing is prepaid where that is less than two full packets. */
  private static long batch(RateUnit unit, long burst) {
    long packet = unit == RateUnit.Bits ? FULL_FRAME : 1;
    long batch = Math.min(burst / 64, MAX_BATCH_PACKETS * packet);
    return batch < 2 * packet ? 0 : batch;
  }

  private static long encodeRate(RateUnit unit, long rate) {
    BigInteger perSecond = BigInteger.valueOf(rate).shiftLeft(FRACTION + shift(unit));
    BigInteger divisor = unit == RateUnit.Bits ? NANOS.shiftLeft(3) : NANOS;
    return perSecond.add(divisor.shiftRight(1)).divide(divisor).longValueExact();
  }

  /** Q in packets or bits a second, from what the map holds. */
  public long ratePerSecond(RateUnit unit) {
    BigInteger perSecond = BigInteger.valueOf(rate).multiply(NANOS);
    if (unit == RateUnit.Bits) {
      perSecond = perSecond.shiftLeft(3);
    }
    int fraction = FRACTION + shift(unit);
    return perSecond
        .add(BigInteger.ONE.shiftLeft(fraction - 1))
        .shiftRight(fraction)
        .longValueExact();
  }

  /** B in packets or bytes, from what the map holds. */
  public long burst(RateUnit unit) {
    return (window + batch - cheapest) >> shift(unit);
  }

  /** V at a moment of CLOCK_MONOTONIC, modulo 2^64: {@code axis_value} of token_axis.h. */
  long valueAt(long now) {
    return now - t0 < 0 ? v0 - granted(t0 - now, rateBefore) : v0 + granted(now - t0, rate);
  }

  private static long granted(long nanos, long rate) {
    return (Math.multiplyHigh(nanos, rate) << (64 - FRACTION)) | ((nanos * rate) >>> FRACTION);
  }

  /** What a full bucket holds, in units. */
  long full() {
    return window + batch - cheapest;
  }

  /** Whether both grant the same, whenever they began. */
  public boolean sameParameters(AxisLine other) {
    return rate == other.rate
        && window == other.window
        && batch == other.batch
        && generation == other.generation;
  }

  byte[] encode() {
    ByteBuffer to = ByteBuffer.allocate(SIZE).order(ByteOrder.nativeOrder());
    to.putLong(v0).putLong(t0).putLong(rateBefore).putLong(rate);
    to.putLong(window).putLong(batch).putLong(cheapest).putLong(generation);
    return to.array();
  }

  static AxisLine decode(ByteBuffer from) {
    return new AxisLine(
        from.getLong(),
        from.getLong(),
        from.getLong(),
        from.getLong(),
        from.getLong(),
        from.getLong(),
        from.getLong(),
        from.getLong());
  }

  private static int shift(RateUnit unit) {
    return unit == RateUnit.Bits ? BYTE_SHIFT : PACKET_SHIFT;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.slots;

import dev.tokenbucket.agent.layout.AxisLineLayout;
import dev.tokenbucket.agent.layout.AxisScale;
import dev.tokenbucket.api.v1alpha1.RatePeriod;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import dev.tokenbucket.api.v1alpha1.TokenRate;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * A policy's parameters as the classifier reads them: {@code struct axis_line} of token_axis.h. A
 * packet or connection is 2^16 units, a byte 2^4; rates are in units per nanosecond with 40
 * fractional bits.
 */
public record AxisLine(
    long v0,
    long t0,
    long rateBefore,
    long rate,
    long window,
    long burst,
    int batch,
    int reserve,
    int memory,
    int idle,
    long generation) {
  /** V at a policy's start: beyond any burst, so that a zeroed bucket is full. */
  public static final long V_START = 1L << 60;

  private static final int FRACTION = AxisScale.AXIS_RATE_FRACTION;
  private static final long MAX_BATCH_PACKETS = 32;
  private static final long FULL_FRAME = 1514;

  /** A turn of the axis, in units with the rate's fractional bits. */
  private static final BigInteger TURN = BigInteger.ONE.shiftLeft(Long.SIZE + FRACTION);

  /**
   * An unused bucket counts as full after a turn divided by this number, counted in shortest ticks.
   * That is longer than any B takes to fill and, with the longest ticks, half a turn.
   */
  private static final long IDLE_PARTS = 20;

  private static final long SHORTEST_TICK_NANOS = 1_000_000;

  private static final BigInteger NANOS = BigInteger.valueOf(1_000_000_000);

  /** At most this part of B is handed out before use, or refused unseen. */
  private static final int PART = 64;

  /** The kernel's slowest tick, HZ=100. */
  private static final long LONGEST_TICK_NANOS = 10_000_000;

  /**
   * The line of a rate and a burst that begins at {@code t0}, for buckets that packets find by a
   * key.
   *
   * @param rate packets or connections, from one per hour to 10^10 per second, or bits, from 8 to
   *     10^13 per second. Q is rounded by at most half a unit, a part of 35,000 of the lowest
   *     rates.
   * @param burst packets or connections from 1, or bytes from 1514, to 2^40
   */
  public static AxisLine of(TokenRate rate, long burst, long generation, long t0) {
    RateUnit unit = rate.unit();
    long prepaid = handedOut(unit, burst, PART, 1);
    long memory = memory(rate, (burst << shift(unit)) / PART);
    return line(rate, burst, generation, t0, new Parts(prepaid, batch(unit, prepaid), 0, memory));
  }

  /**
   * The line of a bucket that all CPUs share. Each CPU may hold a reservation and remember excess,
   * if part of B has room for all CPUs. A burst can find CPUs that hold nothing at its beginning
   * and all they may at its end, so that part is half of the part in {@link #of}.
   *
   * @param cpus the most CPUs that the host may ever have
   */
  public static AxisLine shared(TokenRate rate, long burst, long generation, long t0, int cpus) {
    RateUnit unit = rate.unit();
    long handedOut = handedOut(unit, burst, 2 * PART, cpus);
    long reserve = even(handedOut / cpus);
    long part = (burst << shift(unit)) / (2 * PART);
    if (reserve < 2 * packet(unit)) {
      long memory = memory(rate, 2 * part);
      return line(
          rate, burst, generation, t0, new Parts(handedOut, batch(unit, handedOut), 0, memory));
    }
    long memory = memory(rate, part) / cpus;
    return line(rate, burst, generation, t0, new Parts(cpus * reserve, reserve, reserve, memory));
  }

  /**
   * The amounts of B that are handed out before use: in total, per batch and per CPU; and the
   * excess that may be remembered.
   */
  private record Parts(long handedOut, long batch, long reserve, long memory) {}

  private static AxisLine line(TokenRate rate, long burst, long generation, long t0, Parts parts) {
    long fixed = encodeRate(rate).longValueExact();
    long full = burst << shift(rate.unit());
    return new AxisLine(
        V_START,
        t0,
        fixed,
        fixed,
        full - parts.handedOut(),
        full,
        Math.toIntExact(parts.batch()),
        Math.toIntExact(parts.reserve()),
        Math.toIntExact(parts.memory()),
        idle(fixed),
        generation);
  }

  /** The idle time, in ticks; 0 if a turn of the axis takes years. */
  private static int idle(long rate) {
    BigInteger ticks =
        TURN.divide(
            BigInteger.valueOf(rate)
                .multiply(BigInteger.valueOf(IDLE_PARTS * SHORTEST_TICK_NANOS)));
    return ticks.bitLength() <= Integer.SIZE ? ticks.intValue() : 0;
  }

  /** The given part of B if the rate grants no more than that part in a tick; otherwise 0. */
  private static long memory(TokenRate rate, long part) {
    BigInteger granted =
        encodeRate(rate).multiply(BigInteger.valueOf(LONGEST_TICK_NANOS)).shiftRight(FRACTION);
    return granted.compareTo(BigInteger.valueOf(part)) > 0 ? 0 : Math.min(part, Integer.MAX_VALUE);
  }

  /**
   * The amount of B that may be handed out before use: a part of B, or nothing if that part is less
   * than two full packets. The amount grows with B, but by less than B does. A step would let the
   * window of one B grant once more what was handed out under the other, in an interval that spans
   * the change.
   *
   * @param takers the number of takers; each gets at most {@link #MAX_BATCH_PACKETS} packets
   */
  private static long handedOut(RateUnit unit, long burst, int part, int takers) {
    long full = burst << shift(unit);
    long most = Math.min(full / part, takers * MAX_BATCH_PACKETS * packet(unit));
    long ramp = full - 2L * part * packet(unit);
    return even(Math.max(0, Math.min(most - cheapest(unit), ramp)));
  }

  /**
   * The batch that a packet may take from a bucket with this amount prepaid, once the packet has
   * been judged.
   */
  private static long batch(RateUnit unit, long prepaid) {
    return prepaid == 0 ? 0 : prepaid + cheapest(unit);
  }

  private static long packet(RateUnit unit) {
    return (unit == RateUnit.Bits ? FULL_FRAME : 1) << shift(unit);
  }

  private static long cheapest(RateUnit unit) {
    return 1L << shift(unit);
  }

  /** Rounds down to an even position: an odd one is a mark. */
  private static long even(long units) {
    return units & ~1L;
  }

  private static BigInteger encodeRate(TokenRate rate) {
    BigInteger perPeriod =
        BigInteger.valueOf(rate.amount()).shiftLeft(FRACTION + shift(rate.unit()));
    BigInteger divisor = divisor(rate.unit(), rate.period());
    return perPeriod.add(divisor.shiftRight(1)).divide(divisor);
  }

  /** The nanoseconds of a period, and for bits the bits of a byte. */
  private static BigInteger divisor(RateUnit unit, RatePeriod period) {
    BigInteger nanos = NANOS.multiply(BigInteger.valueOf(period.seconds()));
    return unit == RateUnit.Bits ? nanos.shiftLeft(3) : nanos;
  }

  /**
   * Q from the map's value: the rate that has this value, per the shortest period for which it is a
   * whole number. Only per hour can two numbers of bits have the same value; the rounder is taken.
   */
  public TokenRate rate(RateUnit unit) {
    return Arrays.stream(RatePeriod.values())
        .flatMap(period -> rate(unit, period).stream())
        .findFirst()
        .orElseGet(() -> TokenRate.perSecond(unit, nearest(unit, RatePeriod.Second)));
  }

  private Optional<TokenRate> rate(RateUnit unit, RatePeriod period) {
    long nearest = nearest(unit, period);
    return LongStream.rangeClosed(nearest - 1, nearest + 1)
        .mapToObj(amount -> new TokenRate(unit, amount, period))
        .filter(each -> encodeRate(each).equals(BigInteger.valueOf(rate)))
        .min(Comparator.comparingInt(each -> digits(each.amount())));
  }

  /** The number of digits before the zeros at the end. */
  private static int digits(long number) {
    return BigDecimal.valueOf(number).stripTrailingZeros().precision();
  }

  private long nearest(RateUnit unit, RatePeriod period) {
    int fraction = FRACTION + shift(unit);
    return BigInteger.valueOf(rate)
        .multiply(divisor(unit, period))
        .add(BigInteger.ONE.shiftLeft(fraction - 1))
        .shiftRight(fraction)
        .longValue();
  }

  /** B in packets, bytes or connections, from the map's value. */
  public long burst(RateUnit unit) {
    return burst >> shift(unit);
  }

  /** V at a moment of CLOCK_MONOTONIC, modulo 2^64: {@code axis_value} of token_axis.h. */
  public long valueAt(long now) {
    return now - t0 < 0 ? v0 - granted(t0 - now, rateBefore) : v0 + granted(now - t0, rate);
  }

  private static long granted(long nanos, long rate) {
    return (Math.multiplyHigh(nanos, rate) << (64 - FRACTION)) | ((nanos * rate) >>> FRACTION);
  }

  /** Whether both lines grant the same, whenever they began. */
  public boolean sameParameters(AxisLine other) {
    return rate == other.rate
        && window == other.window
        && burst == other.burst
        && batch == other.batch
        && reserve == other.reserve
        && memory == other.memory
        && idle == other.idle
        && generation == other.generation;
  }

  byte[] encode() {
    return AxisLineLayout.STRUCT.encode(
        to -> {
          AxisLineLayout.V0.putLong(to, v0);
          AxisLineLayout.T0.putLong(to, t0);
          AxisLineLayout.RATE_BEFORE.putLong(to, rateBefore);
          AxisLineLayout.RATE.putLong(to, rate);
          AxisLineLayout.WINDOW.putLong(to, window);
          AxisLineLayout.BURST.putLong(to, burst);
          AxisLineLayout.BATCH.putInt(to, batch);
          AxisLineLayout.RESERVE.putInt(to, reserve);
          AxisLineLayout.MEMORY.putInt(to, memory);
          AxisLineLayout.IDLE.putInt(to, idle);
          AxisLineLayout.GENERATION.putLong(to, generation);
        });
  }

  static AxisLine decode(ByteBuffer from) {
    return new AxisLine(
        AxisLineLayout.V0.getLong(from),
        AxisLineLayout.T0.getLong(from),
        AxisLineLayout.RATE_BEFORE.getLong(from),
        AxisLineLayout.RATE.getLong(from),
        AxisLineLayout.WINDOW.getLong(from),
        AxisLineLayout.BURST.getLong(from),
        AxisLineLayout.BATCH.getInt(from),
        AxisLineLayout.RESERVE.getInt(from),
        AxisLineLayout.MEMORY.getInt(from),
        AxisLineLayout.IDLE.getInt(from),
        AxisLineLayout.GENERATION.getLong(from));
  }

  private static int shift(RateUnit unit) {
    return unit == RateUnit.Bits ? AxisScale.AXIS_BYTE_SHIFT : AxisScale.AXIS_PACKET_SHIFT;
  }
}

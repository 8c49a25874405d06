// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.slots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tokenbucket.api.v1alpha1.RatePeriod;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import dev.tokenbucket.api.v1alpha1.TokenRate;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

class AxisLineProperties {
  @Property
  void packetParametersAreReadBackAsTheyWereWritten(
      @ForAll @LongRange(min = 1, max = 10_000_000_000L) long rate,
      @ForAll RatePeriod period,
      @ForAll @LongRange(min = 1, max = 1L << 40) long burst) {
    assertReadBack(new TokenRate(RateUnit.Packets, rate, period), burst);
  }

  @Property
  void byteParametersAreReadBackAsTheyWereWritten(
      @ForAll @LongRange(min = 8, max = 10_000_000_000_000L) long rate,
      @ForAll RatePeriod period,
      @ForAll @LongRange(min = 1514, max = 1L << 40) long burst) {
    assertReadBack(new TokenRate(RateUnit.Bits, bits(rate, period), period), burst);
  }

  /** At least the lowest rate, and per hour a number that ends in zero. */
  private static long bits(long rate, RatePeriod period) {
    long bits = Math.max(rate, 8L * period.seconds());
    return period == RatePeriod.Hour ? bits / 10 * 10 : bits;
  }

  private static void assertReadBack(TokenRate rate, long burst) {
    RateUnit unit = rate.unit();
    AxisLine line = AxisLine.of(rate, burst, 7, 42);
    ByteBuffer encoded = ByteBuffer.wrap(line.encode()).order(ByteOrder.nativeOrder());

    assertThat(AxisLine.decode(encoded)).isEqualTo(line);
    assertThat(line.rate(unit)).isEqualTo(rate.reduced());
    assertThat(line.burst(unit)).isEqualTo(burst);
  }

  /** Per hour, two numbers of bits can have the same value. */
  @Property
  void bitsPerHourAreReadBackToWithinOne(
      @ForAll @LongRange(min = 28_800, max = 10_000_000_000_000L) long rate) {
    TokenRate written = new TokenRate(RateUnit.Bits, rate, RatePeriod.Hour);
    AxisLine line = AxisLine.of(written, 1514, 7, 42);
    TokenRate read = line.rate(RateUnit.Bits);

    assertThat(read.amount() * 3600 / read.period().seconds()).isCloseTo(rate, within(1L));
    assertThat(AxisLine.of(read, 1514, 7, 42)).isEqualTo(line);
  }

  @Property
  void theLowestRatesAreOffByAPartOf35000(
      @ForAll @LongRange(min = 1, max = 1_000_000) long rate, @ForAll RatePeriod period) {
    assertPrecise(new TokenRate(RateUnit.Connections, rate, period), 1 << 16);
    assertPrecise(new TokenRate(RateUnit.Bits, rate + 8L * period.seconds() - 1, period), 2);
  }

  private static void assertPrecise(TokenRate rate, long unitsPerToken) {
    double exact =
        (double) rate.amount() * unitsPerToken * (1L << 40) / (1e9 * rate.period().seconds());
    assertThat((double) AxisLine.of(rate, 1L << 20, 1, 0).rate() / exact)
        .isCloseTo(1, within(1.0 / 35_000));
  }

  @Property
  void whateverAMapHoldsIsReadable(@ForAll long rate, @ForAll RateUnit unit) {
    AxisLine line = new AxisLine(0, 0, rate, rate, 0, 0, 0, 0, 0, 0, 0);

    assertThat(line.rate(unit).unit()).isEqualTo(unit);
  }

  @Property
  void theWindowIsNarrowerByWhatMayBePrepaidAndNoMore(
      @ForAll @LongRange(min = 1, max = 1L << 40) long burst) {
    AxisLine line = AxisLine.of(TokenRate.perSecond(RateUnit.Packets, 1000), burst, 1, 0);
    long prepaid = Math.max(0, line.batch() - (1L << 16));

    assertThat(line.window() + prepaid).isEqualTo(burst << 16);
    assertThat(line.batch()).isLessThanOrEqualTo((int) Math.min(1L << 30, (burst << 16) / 64));
    assertThat(line.reserve()).isZero();
  }

  @Property
  void theWindowIsNarrowerByWhatAllCpusMayHoldAndThatIsLittle(
      @ForAll @LongRange(min = 1514, max = 1L << 40) long burst,
      @ForAll @IntRange(min = 1, max = 512) int cpus,
      @ForAll RateUnit unit) {
    AxisLine line = AxisLine.shared(TokenRate.perSecond(unit, 1000), burst, 1, 0, cpus);
    long handedOut = line.burst() - line.window();

    assertThat(2 * handedOut).isLessThanOrEqualTo(line.burst() / 64);
    if (line.reserve() > 0) {
      assertThat(handedOut).isEqualTo((long) cpus * line.reserve());
    }
  }

  /** Otherwise an interval that spans a change could let more than the larger B through. */
  @Property
  void whatIsHandedOutGrowsWithTheBurstAndByLess(
      @ForAll @LongRange(min = 1, max = 1L << 24) long burst,
      @ForAll @LongRange(min = 0, max = 4096) long more,
      @ForAll @IntRange(min = 1, max = 256) int cpus,
      @ForAll RateUnit unit) {
    List<AxisLine> smaller =
        List.of(
            AxisLine.of(TokenRate.perSecond(unit, 1000), burst, 1, 0),
            AxisLine.shared(TokenRate.perSecond(unit, 1000), burst, 1, 0, cpus));
    List<AxisLine> larger =
        List.of(
            AxisLine.of(TokenRate.perSecond(unit, 1000), burst + more, 1, 0),
            AxisLine.shared(TokenRate.perSecond(unit, 1000), burst + more, 1, 0, cpus));
    // Each CPU's share is rounded to even units.
    long rounding = 2L * cpus;
    for (int i = 0; i < smaller.size(); i++) {
      AxisLine small = smaller.get(i);
      AxisLine large = larger.get(i);
      assertThat(large.burst() - large.window())
          .isGreaterThanOrEqualTo(small.burst() - small.window() - rounding);
      assertThat(large.window()).isGreaterThanOrEqualTo(small.window() - rounding);
    }
  }

  @Property
  void excessIsRememberedOnlyWhereATickGrantsLittle(
      @ForAll @LongRange(min = 1514, max = 1L << 40) long burst,
      @ForAll @LongRange(min = 8, max = 10_000_000_000L) long rate,
      @ForAll @IntRange(min = 1, max = 512) int cpus,
      @ForAll RateUnit unit) {
    for (AxisLine line :
        List.of(
            AxisLine.of(TokenRate.perSecond(unit, rate), burst, 1, 0),
            AxisLine.shared(TokenRate.perSecond(unit, rate), burst, 1, 0, cpus))) {
      long remembered = (long) line.memory() * (line.reserve() == 0 ? 1 : cpus);
      assertThat(remembered).isLessThanOrEqualTo(line.burst() / 64);
      if (remembered > 0) {
        assertThat(line.valueAt(10_000_000) - line.valueAt(0))
            .isLessThanOrEqualTo(line.burst() / 64);
      }
    }
  }
}

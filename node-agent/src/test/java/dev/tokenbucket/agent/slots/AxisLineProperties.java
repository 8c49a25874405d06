package dev.tokenbucket.agent.slots;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.RateUnit;
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
      @ForAll @LongRange(min = 1, max = 1L << 40) long burst) {
    assertReadBack(RateUnit.Packets, rate, burst);
  }

  @Property
  void byteParametersAreReadBackAsTheyWereWritten(
      @ForAll @LongRange(min = 8, max = 10_000_000_000_000L) long rate,
      @ForAll @LongRange(min = 1514, max = 1L << 40) long burst) {
    assertReadBack(RateUnit.Bits, rate, burst);
  }

  private static void assertReadBack(RateUnit unit, long rate, long burst) {
    AxisLine line = AxisLine.of(unit, rate, burst, 7, 42);
    ByteBuffer encoded = ByteBuffer.wrap(line.encode()).order(ByteOrder.nativeOrder());

    assertThat(AxisLine.decode(encoded)).isEqualTo(line);
    assertThat(line.ratePerSecond(unit)).isEqualTo(rate);
    assertThat(line.burst(unit)).isEqualTo(burst);
  }

  @Property
  void theWindowIsNarrowerByWhatMayBePrepaidAndNoMore(
      @ForAll @LongRange(min = 1, max = 1L << 40) long burst) {
    AxisLine line = AxisLine.of(RateUnit.Packets, 1000, burst, 1, 0);
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
    AxisLine line = AxisLine.shared(unit, 1000, burst, 1, 0, cpus);
    long handedOut = line.burst() - line.window();

    assertThat(2 * handedOut).isLessThanOrEqualTo(line.burst() / 64);
    if (line.reserve() > 0) {
      assertThat(handedOut).isEqualTo((long) cpus * line.reserve());
    }
  }

  /** Else an interval that spans a change could pass more than the larger B. */
  @Property
  void whatIsHandedOutGrowsWithTheBurstAndByLess(
      @ForAll @LongRange(min = 1, max = 1L << 24) long burst,
      @ForAll @LongRange(min = 0, max = 4096) long more,
      @ForAll @IntRange(min = 1, max = 256) int cpus,
      @ForAll RateUnit unit) {
    List<AxisLine> smaller =
        List.of(
            AxisLine.of(unit, 1000, burst, 1, 0), AxisLine.shared(unit, 1000, burst, 1, 0, cpus));
    List<AxisLine> larger =
        List.of(
            AxisLine.of(unit, 1000, burst + more, 1, 0),
            AxisLine.shared(unit, 1000, burst + more, 1, 0, cpus));
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
            AxisLine.of(unit, rate, burst, 1, 0), AxisLine.shared(unit, rate, burst, 1, 0, cpus))) {
      long remembered = (long) line.memory() * (line.reserve() == 0 ? 1 : cpus);
      assertThat(remembered).isLessThanOrEqualTo(line.burst() / 64);
      if (remembered > 0) {
        assertThat(line.valueAt(10_000_000) - line.valueAt(0))
            .isLessThanOrEqualTo(line.burst() / 64);
      }
    }
  }
}

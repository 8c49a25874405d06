package dev.tokenbucket.agent.program;

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
    AxisLine keyed = AxisLine.of(unit, 1000, burst, 1, 0);
    long held = (long) cpus * line.reserve();

    assertThat(2 * held).isLessThanOrEqualTo(line.burst() / 64);
    assertThat(line.window()).isEqualTo(line.reserve() == 0 ? keyed.window() : line.burst() - held);
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

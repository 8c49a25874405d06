package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
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

    assertThat(line.window() + line.batch() - line.cheapest()).isEqualTo(burst << 16);
    assertThat(line.batch()).isLessThanOrEqualTo(Math.max(line.cheapest(), (burst << 16) / 64));
    assertThat(line.window()).isPositive();
  }
}

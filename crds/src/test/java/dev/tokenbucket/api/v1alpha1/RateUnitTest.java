// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RateUnitTest {
  private static final List<String> UNITS =
      List.of("bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s");

  @ParameterizedTest
  @CsvSource({
    "1, 1 bit/s",
    "999, 999 bit/s",
    "1000, 1 kbit/s",
    "1500, 1.5 kbit/s",
    "2000000, 2 Mbit/s",
    "1234567, 1234.567 kbit/s",
    "12500000, 12.5 Mbit/s",
    "10000000000, 10 Gbit/s",
    "1000000000000, 1 Tbit/s"
  })
  void bandwidthIsToldAsAPersonWritesIt(long rate, String text) {
    assertThat(RateUnit.Bits.rateText(rate)).isEqualTo(text);
  }

  @Test
  void soAreCounts() {
    assertThat(RateUnit.Packets.rateText(200)).isEqualTo("200 packets/s");
    assertThat(RateUnit.Packets.rateText(1_000)).isEqualTo("1k packets/s");
    assertThat(RateUnit.Packets.rateText(1_234_567)).isEqualTo("1234.567k packets/s");
    assertThat(RateUnit.Connections.rateText(2_000_000)).isEqualTo("2M connections/s");
    assertThat(RateUnit.Packets.burstText(65_536)).isEqualTo("65.536k packets");
    assertThat(RateUnit.Bits.burstText(15_140)).isEqualTo("15140 bytes");
    assertThat(RateUnit.Packets.tokensText(1_234.567, 1)).isEqualTo("1,234.6 packets");
    assertThat(RateUnit.Bits.tokensText(1_234.567, 1)).isEqualTo("1,235 bytes");
  }

  @Property
  void noDigitIsLost(@ForAll @LongRange(min = 1, max = 10_000_000_000_000L) long rate) {
    String[] parts = RateUnit.Bits.rateText(rate).split(" ", -1);
    BigDecimal unit = BigDecimal.valueOf(1000).pow(UNITS.indexOf(parts[1]));
    assertThat(new BigDecimal(parts[0]).multiply(unit))
        .isEqualByComparingTo(BigDecimal.valueOf(rate));
  }
}

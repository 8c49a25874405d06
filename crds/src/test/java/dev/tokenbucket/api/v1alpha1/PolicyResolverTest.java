package dev.tokenbucket.api.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Quantity;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PolicyResolverTest {
  private static @Nullable Quantity quantity(@Nullable String text) {
    return text == null ? null : Quantity.parse(text);
  }

  private static NodePolicy resolve(
      @Nullable String packets, @Nullable String bits, @Nullable Burst burst) {
    Rate rate = new Rate(quantity(packets), quantity(bits));
    TokenBucketPolicySpec spec =
        new TokenBucketPolicySpec(null, null, null, null, null, rate, burst, null, null);
    return PolicyResolver.resolve("p", "p", 1, spec);
  }

  @Test
  void aPolicyOfARateAloneHasTheDocumentedDefaults() {
    assertThat(resolve("1k", null, null))
        .isEqualTo(
            new NodePolicy(
                "p",
                "p",
                1,
                List.of(new InterfaceSelector(true, null)),
                Direction.Ingress,
                500,
                BucketPer.Node,
                65_536,
                RateUnit.Packets,
                1000,
                100,
                ExceedAction.Drop,
                Mode.Enforce));
  }

  @ParameterizedTest
  @CsvSource({"500m,'\"500m\"'", "0,0", "-5,-5", "20G,'\"20G\"'"})
  void packetRatesOutOfRangeAreRefusedByFieldAndValue(String rate, String shown) {
    assertThatThrownBy(() -> resolve(rate, null, null))
        .hasMessage(
            "spec.rate.packetsPerSecond: Invalid value: "
                + shown
                + ": must be a whole quantity from 1 to 10G packets a second");
  }

  @ParameterizedTest
  @CsvSource({"7,7", "11T,'\"11T\"'"})
  void bitRatesOutOfRangeAreRefusedByFieldAndValue(String rate, String shown) {
    assertThatThrownBy(() -> resolve(null, rate, null))
        .hasMessage(
            "spec.rate.bitsPerSecond: Invalid value: "
                + shown
                + ": must be a whole quantity from 8 to 10T bits a second");
  }

  @Test
  void twoRatesAndNoneAreRefused() {
    assertThatThrownBy(() -> resolve("1", "8", null)).hasMessageContaining("exactly one of");
    assertThatThrownBy(() -> resolve(null, null, null)).hasMessageContaining("exactly one of");
  }

  @Test
  void aBurstInTheOtherUnitIsForbidden() {
    assertThatThrownBy(() -> resolve("1", null, new Burst(null, quantity("2000"))))
        .hasMessageContaining("spec.burst.bytes: Forbidden");
    assertThatThrownBy(() -> resolve(null, "8", new Burst(quantity("1"), null)))
        .hasMessageContaining("spec.burst.packets: Forbidden");
  }

  @Test
  void aBurstBelowOneFullFrameIsRefused() {
    assertThatThrownBy(() -> resolve(null, "1M", new Burst(null, quantity("1513"))))
        .hasMessage(
            "spec.burst.bytes: Invalid value: 1513: must be a whole quantity from 1514 to 1Ti"
                + " (2^40) bytes");
  }

  @Property
  void theDefaultBurstCoversAHundredMilliseconds(
      @ForAll @LongRange(min = 1, max = 10_000_000_000L) long rate) {
    long burst = PolicyResolver.defaultBurst(RateUnit.Packets, rate);

    assertThat(burst).isGreaterThanOrEqualTo(10);
    assertThat(burst * 10).isGreaterThanOrEqualTo(rate);
    assertThat(burst).isLessThanOrEqualTo(Math.max(10, rate / 10 + 1));
  }
}

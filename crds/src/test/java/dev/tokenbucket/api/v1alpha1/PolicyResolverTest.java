// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Quantity;
import java.math.BigInteger;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
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
    return resolve(
        new Rate(quantity(packets), quantity(bits), null, null, null, null, null, null), burst);
  }

  private static NodePolicy resolve(Rate rate, @Nullable Burst burst) {
    TokenBucketPolicySpec spec =
        new TokenBucketPolicySpec(
            null, null, null, null, null, null, null, null, null, rate, burst, null, null, null,
            null);
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
                List.of(InterfaceSelector.DEFAULT_ROUTE),
                Direction.Ingress,
                null,
                500,
                List.of(),
                List.of(),
                Failsafe.Enabled,
                BucketPer.Node,
                65_536,
                OnFull.ShareBucket,
                32,
                64,
                RateUnit.Packets,
                1000,
                null,
                100,
                null,
                ExceedAction.Drop,
                null,
                Mode.Enforce));
  }

  @ParameterizedTest
  @CsvSource({"1k,1000", "1Ki,1024", "1e3,1000", "1.5k,1500", "10G,10000000000"})
  void quantitiesBecomeWholeNumbers(String rate, long packets) {
    assertThat(resolve(rate, null, null).rate()).isEqualTo(packets);
  }

  @Test
  void aBurstOfTheRatesUnitIsTakenAsItIs() {
    assertThat(resolve("1k", null, new Burst(quantity("1"), null, null)).burst()).isEqualTo(1);
    assertThat(resolve(null, "1M", new Burst(null, quantity("1Mi"), null)).burst())
        .isEqualTo(1 << 20);
  }

  @Test
  void whatAPolicySaysIsWhatANodeGets() {
    NodePolicy policy =
        Specs.resolve(
            "{rate: {connectionsPerSecond: 5}, burst: {connections: 7}, failsafe: Disabled,"
                + " bucket: {per: Flow, onFull: EvictOldest},"
                + " exceed: {action: SetDSCP, dscp: 10}}");

    assertThat(policy.rate()).isEqualTo(5);
    assertThat(policy.burst()).isEqualTo(7);
    assertThat(policy.failsafe()).isEqualTo(Failsafe.Disabled);
    assertThat(policy.onFull()).isEqualTo(OnFull.EvictOldest);
    assertThat(policy.action()).isEqualTo(ExceedAction.SetDSCP);
    assertThat(policy.dscp()).isEqualTo(10);
  }

  @Test
  void aFractionThatNoRuleRefusedIsNotRounded() {
    assertThatThrownBy(() -> resolve("500m", null, null))
        .hasMessage(
            "spec.rate.packetsPerSecond: Invalid value: \"500m\": must be a whole quantity");
  }

  /** The burst is what a period grants where that is less than ten packets, and at least one. */
  @ParameterizedTest
  @CsvSource({
    "'connections: 6, per: Minute', 6 connections/min, 6",
    "'packets: 1, per: Hour', 1 packets/h, 1",
    "'packets: 90, per: Hour', 90 packets/h, 10",
    "'packets: 60, per: Hour', 1 packets/min, 10",
    "'packets: 600k, per: Minute', 10k packets/s, 1000",
    "'packets: 1', 1 packets/s, 10",
    "'connections: 1k, per: Second', 1k connections/s, 100",
    "'bits: 480, per: Minute', 8 bit/s, 1514",
    "'bits: 30k, per: Hour', 500 bit/min, 3750",
    "'bits: 1M, per: Hour', 1 Mbit/h, 15140",
    "'bits: 60G, per: Minute', 1 Gbit/s, 12500000"
  })
  void aRatePerPeriodIsReducedAndHasABurstForIt(String rate, String text, long burst) {
    NodePolicy policy = Specs.resolve("{rate: {" + rate + "}}");

    assertThat(policy.tokenRate().text()).isEqualTo(text);
    assertThat(policy.burst()).isEqualTo(burst);
  }

  @Property
  void aReducedRateIsTheSameRate(
      @ForAll @LongRange(min = 1, max = 10_000_000_000_000L) long amount,
      @ForAll RatePeriod period) {
    TokenRate reduced = new TokenRate(RateUnit.Bits, amount, period).reduced();

    assertThat(reduced.amount() * period.seconds()).isEqualTo(amount * reduced.period().seconds());
    assertThat(reduced.reduced()).isEqualTo(reduced);
  }

  /** 800 Gbit/s is the fastest Ethernet. */
  @Property
  void aPercentageIsOnALinkWhatTheSameRateInBitsIs(
      @ForAll @IntRange(min = 1, max = 100) int percent,
      @ForAll @LongRange(min = 10, max = 800_000) long megabits,
      @ForAll @LongRange(min = 0, max = 100_000) long beyondOneFrame) {
    Burst burst =
        beyondOneFrame == 0
            ? null
            : new Burst(null, new Quantity(Long.toString(1514 + beyondOneFrame)), null);
    BigInteger bits =
        BigInteger.valueOf(megabits)
            .multiply(BigInteger.valueOf(1_000_000L * percent))
            .divide(BigInteger.valueOf(100));
    NodePolicy asked = resolve(new Rate(null, null, null, null, null, null, null, percent), burst);

    assertThat(asked.needsLinkSpeed()).isTrue();
    assertThat(asked.tokenRate().text()).isEqualTo(percent + "% of link speed");
    assertThat(asked.atLinkSpeed(megabits)).isEqualTo(resolve(null, bits.toString(), burst));
  }

  @Test
  void theSpeedOfALinkChangesNoOtherRate() {
    NodePolicy policy = resolve("1k", null, null);
    assertThat(policy.atLinkSpeed(10)).isEqualTo(policy);
  }

  @Property
  void theDefaultBurstCoversAHundredMilliseconds(
      @ForAll @LongRange(min = 1, max = 10_000_000_000L) long rate) {
    long burst = PolicyResolver.defaultBurst(TokenRate.perSecond(RateUnit.Packets, rate));

    assertThat(burst).isGreaterThanOrEqualTo(10);
    assertThat(burst * 10).isGreaterThanOrEqualTo(rate);
    assertThat(burst).isLessThanOrEqualTo(Math.max(10, rate / 10 + 1));
  }
}

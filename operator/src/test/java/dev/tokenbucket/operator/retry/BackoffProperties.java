// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.retry;

import static org.assertj.core.api.Assertions.assertThat;

import io.javaoperatorsdk.operator.processing.retry.RetryExecution;
import java.time.Duration;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class BackoffProperties {
  @Property
  void eachDelayIsInTheUpperHalfOfADoublingIntervalUpToTheMost(
      @ForAll @DoubleRange(max = 1, maxIncluded = false) double random,
      @ForAll @IntRange(min = 1, max = 2_000) int first,
      @ForAll @IntRange(min = 2_000, max = 60_000) int most) {
    RetryExecution execution =
        new JitteredBackoff(Duration.ofMillis(first), Duration.ofMillis(most), () -> random)
            .initExecution();
    double interval = first;
    for (int attempt = 1; attempt <= 40; attempt++) {
      assertThat(execution.nextDelay().orElseThrow())
          .isBetween((long) (interval / 2) - 1, (long) interval);
      assertThat(execution.isLastAttempt()).isFalse();
      assertThat(execution.getAttemptCount()).isEqualTo(attempt);
      interval = Math.min(most, interval * 2);
    }
  }

  @Property
  void aRefusalIsHeldBackForWhatTheServerAsksAndUpToAQuarterMore(
      @ForAll @DoubleRange(max = 1, maxIncluded = false) double random,
      @ForAll @IntRange(max = 8) int seconds) {
    assertThat(new RetryAfter(() -> random).millis(429, String.valueOf(seconds)))
        .isBetween(seconds * 1000L, seconds * 1250L);
  }

  @Test
  void onlyARefusalThatIsTriedAgainIsHeldBackAndNoneForLongerThanTenSeconds() {
    RetryAfter retryAfter = new RetryAfter(() -> 0);
    assertThat(retryAfter.millis(409, "1")).isZero();
    assertThat(retryAfter.millis(500, null)).isZero();
    assertThat(retryAfter.millis(503, "1")).isEqualTo(1_000);
    assertThat(retryAfter.millis(429, "Wed, 25 Nov 2026 00:00:00 GMT")).isZero();
    assertThat(retryAfter.millis(429, "-5")).isZero();
    assertThat(retryAfter.millis(429, "3600")).isEqualTo(10_000);
  }
}

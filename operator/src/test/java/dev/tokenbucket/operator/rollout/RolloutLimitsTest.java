// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tokenbucket.api.v1alpha1.Rollout;
import io.fabric8.kubernetes.api.model.IntOrString;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RolloutLimitsTest {
  private static RolloutLimits of(String maxConcurrent) {
    return RolloutLimits.of(new Rollout(new IntOrString(maxConcurrent), null, null, null, null));
  }

  @ParameterizedTest
  @CsvSource({"25%,5,2", "25%,4,1", "1%,1,1", "100%,7,7", "3,100,3", "3,2,3"})
  void aPercentageIsOfTheNodesConcernedRoundedUp(String maxConcurrent, int nodes, int expected) {
    assertThat(of(maxConcurrent).concurrent().of(nodes)).isEqualTo(expected);
  }

  @Test
  void whatIsAbsentHasTheDocumentedDefault() {
    assertThat(RolloutLimits.of(null))
        .isEqualTo(
            new RolloutLimits(
                new NodeAmount(25, true),
                new NodeAmount(5, true),
                Duration.ZERO,
                Duration.ofMinutes(10),
                false));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "0%", "101%", "-1", "many", ""})
  void otherTextsAreRefusedByFieldAndValue(String maxConcurrent) {
    assertThatThrownBy(() -> of(maxConcurrent))
        .hasMessage(
            "spec.rollout.maxConcurrent: Invalid value: \""
                + maxConcurrent
                + "\": must be a number of nodes from 1, or a percentage from 1% to 100%");
  }
}

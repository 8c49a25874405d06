// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.observe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import org.junit.jupiter.api.Test;

class GaugesTest {
  private static final TokenBucketPolicy POLICY =
      Serialization.unmarshal(
          """
          metadata: {name: p}
          status:
            nodes: {desired: 4, programmed: 1, pending: 2, failed: 1}
            conditions:
            - {type: Programmed, status: "False", reason: Pending}
            - {type: Degraded, status: "True", reason: RolloutHalted}
          """,
          TokenBucketPolicy.class);

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  @Test
  void aPolicysNodesAreCountedByState() {
    MultiGauge.builder("nodes").register(registry).register(Gauges.nodeRows(List.of(POLICY)));
    assertThat(nodes("desired")).isEqualTo(4);
    assertThat(nodes("programmed")).isEqualTo(1);
    assertThat(nodes("pending")).isEqualTo(2);
    assertThat(nodes("failed")).isEqualTo(1);
  }

  @Test
  void aConditionIsOneWhereItIsTrue() {
    MultiGauge.builder("c").register(registry).register(Gauges.conditionRows(List.of(POLICY)));
    assertThat(
            registry
                .get("c")
                .tags("condition", "Degraded", "reason", "RolloutHalted")
                .gauge()
                .value())
        .isEqualTo(1);
    assertThat(
            registry.get("c").tags("condition", "Programmed", "reason", "Pending").gauge().value())
        .isZero();
  }

  @Test
  void aPolicyWithoutStatusHasNoRows() {
    TokenBucketPolicy fresh = new TokenBucketPolicy();
    fresh.getMetadata().setName("fresh");
    assertThat(Gauges.nodeRows(List.of(fresh))).isEmpty();
    assertThat(Gauges.conditionRows(List.of(fresh))).isEmpty();
  }

  private double nodes(String state) {
    return registry.get("nodes").tags("policy", "p", "state", state).gauge().value();
  }
}

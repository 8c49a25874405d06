// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.program.Policy;
import dev.tokenbucket.agent.program.RunningHook;
import dev.tokenbucket.api.v1alpha1.NodeLimits;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.PolicyAttachment;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateStatus;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class NodeStateReportTest {
  private static TokenBucketNodeStateStatus status(long inForce, boolean programmed) {
    return new TokenBucketNodeStateStatus(
        1L,
        null,
        null,
        List.of(
            new NodePolicyStatus(
                "p",
                "uid",
                2L,
                inForce,
                programmed,
                null,
                null,
                null,
                null,
                List.of(),
                null,
                null)),
        null,
        null,
        null,
        null,
        null,
        null);
  }

  private static @Nullable String since(TokenBucketNodeStateStatus status) {
    return Objects.requireNonNull(status.policies()).get(0).lastTransitionTime();
  }

  @Test
  void aPolicysTimeMovesWithWhatIsInForceOnly() {
    TokenBucketNodeStateStatus first = NodeStateReport.since(status(1, true), null, "12:00");
    assertThat(since(first)).isEqualTo("12:00");
    assertThat(since(NodeStateReport.since(status(1, true), first, "13:00"))).isEqualTo("12:00");
    assertThat(since(NodeStateReport.since(status(2, true), first, "13:00"))).isEqualTo("13:00");
    assertThat(since(NodeStateReport.since(status(1, false), first, "13:00"))).isEqualTo("13:00");
  }

  private static RunningHook hook(String interfaceName, NodePolicy policy) {
    RunningHook.RunningPolicy running =
        new RunningHook.RunningPolicy(
            policy.name(),
            policy.uid(),
            policy.generation(),
            policy.unit(),
            policy.rate(),
            null,
            policy.burst(),
            policy.per(),
            policy.action(),
            policy.mode(),
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            null,
            null);
    return new RunningHook(
        interfaceName, policy.direction(), "TCX", 7, 0, 0, 0, List.of(), List.of(running));
  }

  @Test
  void aPercentageHasItsRatePerInterface() {
    NodePolicy policy = Policy.percentOfLinkSpeed(10).at(1);
    TokenBucketNodeStateStatus status =
        NodeStateReport.status(
            new Applied(
                new DesiredState(1, List.of(policy), List.of()),
                Map.of(),
                List.of(),
                Repairs.since(Instant.EPOCH)),
            List.of(hook("eth0", policy.atLinkSpeed(25_000)), hook("eth1", policy.atLinkSpeed(10))),
            Map.of(),
            List.of(),
            Instant.EPOCH);

    NodePolicyStatus reported = Objects.requireNonNull(status.policies()).get(0);
    assertThat(reported.programmed()).isTrue();
    assertThat(reported.rate()).isEqualTo("10% of link speed");
    assertThat(reported.burst()).isNull();
    assertThat(reported.interfaces())
        .containsExactly(
            new PolicyAttachment("eth0", "TCX", 7, "2.5 Gbit/s", "31250000 bytes"),
            new PolicyAttachment("eth1", "TCX", 7, "1 Mbit/s", "15140 bytes"));
  }

  @Test
  void whatTheApiServerWouldNotTakeIsCutOffWithAMark() {
    String longer = "x".repeat(5000);
    DesiredState.Unsupported unsupported = new DesiredState.Unsupported("p", 1, longer);
    TokenBucketNodeStateStatus status =
        NodeStateReport.status(
            new Applied(
                new DesiredState(
                    1, List.of(), List.of(), null, Map.of("uid", unsupported), List.of()),
                Map.of(),
                List.of(),
                Repairs.since(Instant.EPOCH)),
            List.of(),
            Map.of(),
            IntStream.range(0, 100).mapToObj(i -> longer).toList(),
            Instant.EPOCH);

    assertThat(Objects.requireNonNull(status.policies()).get(0).message())
        .hasSize(2048)
        .endsWith("x…");
    assertThat(status.limits())
        .as("what the API says of this version")
        .isEqualTo(NodeLimits.DEFAULT);
    assertThat(status.preflight()).hasSize(64).allMatch(line -> line.length() == 2048);
  }
}

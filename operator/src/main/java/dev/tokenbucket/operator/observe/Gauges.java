// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.observe;

import dev.tokenbucket.api.v1alpha1.NodeCounts;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicyStatus;
import dev.tokenbucket.operator.OperatorRuntime;
import dev.tokenbucket.operator.Periodic;
import dev.tokenbucket.operator.lease.LeaderElection;
import io.fabric8.kubernetes.api.model.Condition;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;

/**
 * Gauges: which replica leads, and the counts of nodes and the conditions from each policy's
 * status.
 */
@ApplicationScoped
class Gauges {
  private static final Duration PAUSE = Duration.ofSeconds(5);

  private final OperatorRuntime runtime;
  private final MultiGauge nodes;
  private final MultiGauge conditions;
  private final Periodic timer = new Periodic("gauges");

  Gauges(OperatorRuntime runtime, LeaderElection election, MeterRegistry registry) {
    this.runtime = runtime;
    Gauge.builder("tokenbucket.operator.leader", election, each -> each.leading() ? 1 : 0)
        .description("1 if this replica holds the lease, else 0")
        .register(registry);
    nodes =
        MultiGauge.builder("tokenbucket.policy.nodes")
            .description(
                "Nodes per policy and state; desired is the sum of programmed, pending, failed"
                    + " and others")
            .register(registry);
    conditions =
        MultiGauge.builder("tokenbucket.policy.condition")
            .description("1 if the policy's condition is True, else 0, with the condition's reason")
            .register(registry);
  }

  void start(@Observes StartupEvent event) {
    timer.start(this::refresh, Duration.ZERO, PAUSE);
  }

  void stop(@Observes ShutdownEvent event) {
    timer.close();
  }

  private void refresh() {
    if (!runtime.ready()) {
      return;
    }
    List<TokenBucketPolicy> policies = runtime.policies().toList();
    nodes.register(nodeRows(policies), true);
    conditions.register(conditionRows(policies), true);
  }

  static List<Row<?>> nodeRows(Collection<TokenBucketPolicy> policies) {
    return policies.stream().<Row<?>>flatMap(Gauges::nodeRows).toList();
  }

  private static Stream<Row<?>> nodeRows(TokenBucketPolicy policy) {
    TokenBucketPolicyStatus status = policy.getStatus();
    NodeCounts counts = status == null ? null : status.nodes();
    if (counts == null) {
      return Stream.of();
    }
    String name = policy.getMetadata().getName();
    return Stream.of(
        nodeRow(name, "desired", counts.desired()),
        nodeRow(name, "programmed", counts.programmed()),
        nodeRow(name, "pending", counts.pending()),
        nodeRow(name, "failed", counts.failed()),
        nodeRow(name, "unknown", counts.unknown()));
  }

  private static Row<?> nodeRow(String policy, String state, int count) {
    return Row.of(Tags.of("policy", policy, "state", state), count);
  }

  static List<Row<?>> conditionRows(Collection<TokenBucketPolicy> policies) {
    return policies.stream().<Row<?>>flatMap(Gauges::conditionRows).toList();
  }

  private static Stream<Row<?>> conditionRows(TokenBucketPolicy policy) {
    TokenBucketPolicyStatus status = policy.getStatus();
    List<Condition> all = status == null ? null : status.conditions();
    return all == null
        ? Stream.of()
        : all.stream().map(each -> conditionRow(policy.getMetadata().getName(), each));
  }

  private static Row<?> conditionRow(String policy, Condition condition) {
    return Row.of(
        Tags.of(
            "policy", policy, "condition", condition.getType(), "reason", condition.getReason()),
        "True".equals(condition.getStatus()) ? 1 : 0);
  }
}

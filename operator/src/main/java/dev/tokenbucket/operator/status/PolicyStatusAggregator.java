// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.status;

import dev.tokenbucket.api.Texts;
import dev.tokenbucket.api.v1alpha1.AddressSets;
import dev.tokenbucket.api.v1alpha1.FailedNode;
import dev.tokenbucket.api.v1alpha1.NodeCounts;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicyStatus;
import dev.tokenbucket.operator.fleet.PolicyReport;
import dev.tokenbucket.operator.plan.PolicyIntent;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Derives a policy's status from the nodes' reports. Pure: equal input gives an equal status. */
public final class PolicyStatusAggregator {
  private static final int MAX_OVERLAPS = 10;
  private static final int MAX_NODES = 10;

  private PolicyStatusAggregator() {}

  /**
   * Creates a policy's status.
   *
   * @param before the existing status; transition times stay if nothing changed
   * @param now the transition time of changes
   * @throws IllegalArgumentException for a policy that is being deleted, which gets no further
   *     status
   */
  public static TokenBucketPolicyStatus aggregate(
      PolicyReport report, @Nullable TokenBucketPolicyStatus before, Instant now) {
    Conditions conditions = new Conditions(before, report.generation(), now);
    if (report.intent() instanceof PolicyIntent.Enforced enforced) {
      return ofEnforced(enforced.entry(), report, conditions);
    }
    if (report.intent() instanceof PolicyIntent.Expired expired) {
      return ofExpired(expired, report, conditions);
    }
    if (report.intent() instanceof PolicyIntent.Refused refused) {
      return ofRefused(refused, report, before, conditions);
    }
    throw new IllegalArgumentException("a policy that is being deleted gets no further status");
  }

  private static TokenBucketPolicyStatus ofEnforced(
      NodePolicy policy, PolicyReport report, Conditions conditions) {
    NodeCounts counts =
        new NodeCounts(
            report.counts().desired(),
            report.counts().programmed(),
            report.counts().pending(),
            report.counts().failed() + report.counts().refused(),
            report.counts().unknown(),
            report.counts().programmed() + "/" + report.counts().desired());
    Finding finding = Finding.of(report, conditions.was(Reasons.PROGRAMMED));
    Long completed = completed(report, conditions);
    return new TokenBucketPolicyStatus(
        report.generation(),
        completed,
        completed == null ? null : completedSets(policy, report, conditions),
        finding.summary(),
        policy.tokenRate().text(),
        policy.unit().burstText(policy.burst()),
        counts,
        failedNodes(report),
        overlaps(report),
        all(
            Readiness.of(report, finding, conditions),
            accepted(report, conditions),
            conditions.is(
                Reasons.PROGRAMMED, finding.status(), finding.reason(), finding.message()),
            degraded(report, conditions)));
  }

  private static List<Condition> all(List<Condition> readiness, Condition... others) {
    List<Condition> all = new ArrayList<>(readiness);
    all.addAll(List.of(others));
    return List.copyOf(all);
  }

  private static @Nullable Long completed(PolicyReport report, Conditions conditions) {
    if (report.completed()) {
      return report.generation();
    }
    TokenBucketPolicyStatus before = conditions.before();
    // A rollout of the same generation with other contents of an address set is not complete.
    return before == null || Objects.equals(before.completedGeneration(), report.generation())
        ? null
        : before.completedGeneration();
  }

  private static @Nullable String completedSets(
      NodePolicy policy, PolicyReport report, Conditions conditions) {
    TokenBucketPolicyStatus before = conditions.before();
    return report.completed() || before == null
        ? AddressSets.digest(policy)
        : before.completedAddressSets();
  }

  private static @Nullable List<FailedNode> failedNodes(PolicyReport report) {
    List<FailedNode> nodes =
        Stream.concat(report.failedNodes().stream(), report.refusedNodes().stream())
            .limit(MAX_NODES)
            .toList();
    return nodes.isEmpty() ? null : nodes;
  }

  private static Condition accepted(PolicyReport report, Conditions conditions) {
    if (report.counts().refused() > 0) {
      return conditions.is(
          Reasons.ACCEPTED, false, Finding.refusalReason(report), Finding.refusedMessage(report));
    }
    return conditions.is(
        Reasons.ACCEPTED, true, Reasons.VALID, "the policy is valid and was sent to its nodes");
  }

  private static Condition degraded(PolicyReport report, Conditions conditions) {
    if (report.counts().failed() == 0 && report.counts().refused() > 0) {
      return conditions.is(
          Reasons.DEGRADED, true, Finding.refusalReason(report), Finding.refusedMessage(report));
    }
    if (report.counts().failed() == 0) {
      return report.counts().noAgent() == 0
          ? conditions.is(Reasons.DEGRADED, false, Reasons.AS_EXPECTED, "no node failed")
          : conditions.is(Reasons.DEGRADED, true, Reasons.NO_AGENT, Finding.noAgentMessage(report));
    }
    return report.halted()
        ? conditions.is(
            Reasons.DEGRADED, true, Reasons.ROLLOUT_HALTED, Finding.haltedMessage(report))
        : conditions.is(
            Reasons.DEGRADED, true, Reasons.NODES_FAILED, Finding.failedMessage(report));
  }

  private static @Nullable List<String> overlaps(PolicyReport report) {
    List<String> texts = new ArrayList<>();
    for (PolicyReport.Neighbour other : report.overlaps()) {
      texts.add(
          (other.first() ? "after " : "before ")
              + other.name()
              + " (priority "
              + other.priority()
              + ")");
    }
    return texts.isEmpty() ? null : Texts.bounded(MAX_OVERLAPS, texts);
  }

  private static TokenBucketPolicyStatus ofExpired(
      PolicyIntent.Expired policy, PolicyReport report, Conditions conditions) {
    Finding finding = Finding.ofExpired(policy.expiresAt(), report.counts().leaving());
    return new TokenBucketPolicyStatus(
        report.generation(),
        completed(report, conditions),
        completedSets(policy.entry(), report, conditions),
        finding.summary(),
        policy.entry().tokenRate().text(),
        policy.entry().unit().burstText(policy.entry().burst()),
        new NodeCounts(0, 0, 0, 0, 0, "0/0"),
        null,
        null,
        all(
            Readiness.of(report, finding, conditions),
            conditions.is(
                Reasons.ACCEPTED, true, Reasons.VALID, "the policy is valid and has expired"),
            conditions.is(
                Reasons.PROGRAMMED, finding.status(), finding.reason(), finding.message()),
            conditions.is(Reasons.DEGRADED, false, Reasons.AS_EXPECTED, "no node failed")));
  }

  private static TokenBucketPolicyStatus ofRefused(
      PolicyIntent.Refused policy,
      PolicyReport report,
      @Nullable TokenBucketPolicyStatus before,
      Conditions conditions) {
    String stays =
        "not sent to nodes; "
            + Texts.count(report.counts().holding(), "node")
            + (report.counts().holding() == 1 ? " keeps what it has" : " keep what they have")
            + " of the policy";
    return new TokenBucketPolicyStatus(
        report.generation(),
        before == null ? null : before.completedGeneration(),
        before == null ? null : before.completedAddressSets(),
        Finding.shorten("refused: " + policy.message()),
        before == null ? null : before.rate(),
        before == null ? null : before.burst(),
        null,
        null,
        null,
        all(
            Readiness.ofRefused(policy.reason(), policy.message(), conditions),
            conditions.is(Reasons.ACCEPTED, false, policy.reason(), policy.message()),
            conditions.is(Reasons.PROGRAMMED, false, policy.reason(), stays),
            conditions.is(Reasons.DEGRADED, false, Reasons.AS_EXPECTED, "no node failed")));
  }
}

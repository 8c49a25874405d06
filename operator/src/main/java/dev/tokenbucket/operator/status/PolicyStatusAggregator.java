package dev.tokenbucket.operator.status;

import dev.tokenbucket.api.v1alpha1.FailedNode;
import dev.tokenbucket.api.v1alpha1.NodeCounts;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicyStatus;
import dev.tokenbucket.operator.plan.PolicyIntent;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A policy's status from what nodes reported. Pure: equal input gives an equal status. */
public final class PolicyStatusAggregator {
  private static final int MAX_FAILED_NODES = 10;

  private PolicyStatusAggregator() {}

  /**
   * Aggregates the reports of a policy's nodes.
   *
   * @param generation the policy's
   * @param before the status that is there; its transition times stay where nothing changed
   * @param now for the transition times of what changed
   */
  public static TokenBucketPolicyStatus aggregate(
      PolicyIntent policy,
      long generation,
      Collection<NodeReport> reports,
      @Nullable TokenBucketPolicyStatus before,
      Instant now) {
    Conditions conditions = new Conditions(before, generation, now);
    if (policy instanceof PolicyIntent.Enforced enforced) {
      return ofEnforced(enforced.entry(), reports, conditions);
    }
    if (policy instanceof PolicyIntent.Refused refused) {
      return ofRefused(refused, reports, before, conditions);
    }
    throw new IllegalArgumentException("a policy that is being deleted has no status to come");
  }

  private static TokenBucketPolicyStatus ofEnforced(
      NodePolicy policy, Collection<NodeReport> reports, Conditions conditions) {
    NodeCounts counts = counts(policy, reports);
    List<FailedNode> failed = failedNodes(policy, reports);
    long leaving = reports.stream().filter(r -> !r.desired() && r.entry() != null).count();
    return new TokenBucketPolicyStatus(
        policy.generation(),
        policy.unit().rateText(policy.rate()),
        policy.unit().burstText(policy.burst()),
        counts,
        failed.isEmpty() ? null : failed,
        null,
        List.of(
            conditions.is(
                Reasons.ACCEPTED, true, Reasons.VALID, "the policy is valid and in effect"),
            programmed(counts, leaving, conditions),
            degraded(counts, failed, conditions)));
  }

  private static TokenBucketPolicyStatus ofRefused(
      PolicyIntent.Refused policy,
      Collection<NodeReport> reports,
      @Nullable TokenBucketPolicyStatus before,
      Conditions conditions) {
    long holding = reports.stream().filter(r -> r.entry() != null).count();
    String stays = "not handed to nodes; " + holding + " of them stay at an earlier generation";
    return new TokenBucketPolicyStatus(
        conditions.generation(),
        before == null ? null : before.rate(),
        before == null ? null : before.burst(),
        null,
        null,
        null,
        List.of(
            conditions.is(Reasons.ACCEPTED, false, Reasons.INVALID, policy.message()),
            conditions.is(Reasons.PROGRAMMED, false, Reasons.INVALID, stays),
            conditions.is(Reasons.DEGRADED, false, Reasons.AS_EXPECTED, "no node failed")));
  }

  private static boolean programmed(NodePolicy policy, NodeReport report) {
    NodePolicyStatus entry = report.entry();
    return entry != null && entry.programmed() && entry.generation() == policy.generation();
  }

  private static boolean failed(NodePolicy policy, NodeReport report) {
    NodePolicyStatus entry = report.entry();
    return entry != null
        && !programmed(policy, report)
        && Reasons.PROGRAMMING_FAILED.equals(entry.reason());
  }

  private static NodeCounts counts(NodePolicy policy, Collection<NodeReport> reports) {
    int desired = 0;
    int programmed = 0;
    int failed = 0;
    for (NodeReport report : reports) {
      if (report.desired()) {
        desired++;
        programmed += programmed(policy, report) ? 1 : 0;
        failed += failed(policy, report) ? 1 : 0;
      }
    }
    return new NodeCounts(
        desired, programmed, desired - programmed - failed, failed, programmed + "/" + desired);
  }

  private static List<FailedNode> failedNodes(NodePolicy policy, Collection<NodeReport> reports) {
    return reports.stream()
        .filter(report -> report.desired() && failed(policy, report))
        .sorted(Comparator.comparing(NodeReport::node))
        .limit(MAX_FAILED_NODES)
        .map(PolicyStatusAggregator::failedNode)
        .toList();
  }

  private static FailedNode failedNode(NodeReport report) {
    NodePolicyStatus entry = report.entry();
    String message = entry == null ? null : entry.message();
    return new FailedNode(
        report.node(), Reasons.PROGRAMMING_FAILED, message == null ? "" : message);
  }

  private static Condition programmed(NodeCounts counts, long leaving, Conditions conditions) {
    if (counts.failed() > 0) {
      return conditions.is(
          Reasons.PROGRAMMED,
          false,
          Reasons.NODES_FAILED,
          counts.failed() + " of " + counts.desired() + " nodes failed");
    }
    if (counts.pending() > 0) {
      return conditions.is(
          Reasons.PROGRAMMED,
          false,
          Reasons.PENDING,
          counts.pending() + " of " + counts.desired() + " nodes have yet to report");
    }
    if (leaving > 0) {
      return conditions.is(
          Reasons.PROGRAMMED,
          false,
          Reasons.PENDING,
          leaving + " nodes no longer selected have yet to remove it");
    }
    if (counts.desired() == 0) {
      return conditions.is(
          Reasons.PROGRAMMED,
          false,
          Reasons.NO_NODE_SELECTED,
          "no node's labels match spec.nodeSelector");
    }
    return conditions.is(
        Reasons.PROGRAMMED,
        true,
        Reasons.ALL_NODES_PROGRAMMED,
        "in force on " + counts.desired() + " of " + counts.desired() + " nodes");
  }

  private static Condition degraded(
      NodeCounts counts, List<FailedNode> failed, Conditions conditions) {
    if (failed.isEmpty()) {
      return conditions.is(Reasons.DEGRADED, false, Reasons.AS_EXPECTED, "no node failed");
    }
    FailedNode first = failed.get(0);
    String others = counts.failed() > 1 ? " (and " + (counts.failed() - 1) + " more)" : "";
    return conditions.is(
        Reasons.DEGRADED,
        true,
        Reasons.NODES_FAILED,
        first.name() + ": " + first.message() + others);
  }

  /** Makes conditions whose transition time changes only with their status. */
  private record Conditions(
      @Nullable TokenBucketPolicyStatus before, long generation, Instant now) {
    Condition is(String type, boolean holds, String reason, String message) {
      String status = holds ? "True" : "False";
      return new ConditionBuilder()
          .withType(type)
          .withStatus(status)
          .withReason(reason)
          .withMessage(message)
          .withObservedGeneration(generation)
          .withLastTransitionTime(since(type, status))
          .build();
    }

    private String since(String type, String status) {
      List<Condition> there =
          before == null || before.conditions() == null ? List.of() : before.conditions();
      return there.stream()
          .filter(c -> type.equals(c.getType()) && status.equals(c.getStatus()))
          .map(Condition::getLastTransitionTime)
          .findFirst()
          .orElseGet(() -> now.truncatedTo(ChronoUnit.SECONDS).toString());
    }
  }
}

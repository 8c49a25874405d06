// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.status;

import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.operator.fleet.PolicyReport;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;

/**
 * The conditions that show tools whether a resource is as wanted, in progress, or stuck: Ready and,
 * only if True, Reconciling and Stalled.
 */
final class Readiness {
  private Readiness() {}

  static List<Condition> of(PolicyReport report, Finding finding, Conditions conditions) {
    String status = isReady(report, finding) ? Conditions.TRUE : finding.status();
    Condition ready = conditions.is(Reasons.READY, status, finding.reason(), finding.message());
    if (status.equals(Conditions.TRUE)) {
      return List.of(ready);
    }
    if (isStalled(report)) {
      return List.of(ready, marked(Reasons.STALLED, finding, conditions));
    }
    return report.limits().paused() && report.counts().held() > 0
        ? List.of(ready)
        : List.of(ready, marked(Reasons.RECONCILING, finding, conditions));
  }

  static List<Condition> ofRefused(String reason, String message, Conditions conditions) {
    return List.of(
        conditions.is(Reasons.READY, false, reason, message),
        conditions.is(Reasons.STALLED, true, reason, message));
  }

  /**
   * Whether nothing is left to do: the policy selects no node, as for a pool scaled to none, or has
   * expired and left every node.
   */
  private static boolean isReady(PolicyReport report, Finding finding) {
    return finding.reason().equals(Reasons.NO_NODE_SELECTED)
        || (finding.reason().equals(Reasons.EXPIRED) && report.counts().leaving() == 0);
  }

  /**
   * Whether the policy is stalled: the rollout has halted, or some nodes failed and no other node
   * makes progress.
   */
  private static boolean isStalled(PolicyReport report) {
    PolicyReport.Counts counts = report.counts();
    boolean moves = counts.moving() > (report.limits().paused() ? counts.held() : 0);
    return report.halted()
        || (!moves
            && counts.leaving() == 0
            && counts.failed() + counts.refused() + counts.noAgent() > 0);
  }

  private static Condition marked(String type, Finding finding, Conditions conditions) {
    return conditions.is(type, true, finding.reason(), finding.message());
  }
}

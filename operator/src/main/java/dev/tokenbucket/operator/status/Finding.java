// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.status;

import dev.tokenbucket.api.Texts;
import dev.tokenbucket.api.v1alpha1.FailedNode;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.operator.fleet.PolicyReport;
import dev.tokenbucket.operator.rollout.NodeAmount;
import java.time.Instant;
import java.util.List;

/**
 * The most important fact of a report: the reason and message of condition Programmed, and the
 * short text for a table's column.
 */
record Finding(String status, String reason, String message, String summary) {
  private static final int SUMMARY_LENGTH = 160;
  private static final int NAMES = 3;

  /**
   * The first finding that applies, the most serious first.
   *
   * @param programmed whether every node had this generation before
   */
  static Finding of(PolicyReport report, boolean programmed) {
    if (report.halted()) {
      return failed(
          Reasons.ROLLOUT_HALTED, haltedMessage(report), "rollout halted: " + failures(report));
    }
    PolicyReport.Counts counts = report.counts();
    if (counts.failed() > 0) {
      return failed(
          Reasons.NODES_FAILED,
          nodes(counts.failed(), counts.desired()) + " failed",
          failures(report));
    }
    if (counts.refused() > 0) {
      return refused(report);
    }
    if (report.limits().paused() && counts.held() > 0) {
      return plain(
          Reasons.ROLLOUT_PAUSED,
          "rollout paused: " + nodes(counts.held(), counts.desired()) + " not changed yet");
    }
    return ofProgress(report, programmed);
  }

  /** The finding for an expired policy. */
  static Finding ofExpired(Instant at, int leaving) {
    return plain(
        Reasons.EXPIRED,
        "expired at "
            + at
            + (leaving == 0
                ? ": in force on no node"
                : "; " + leavingText(leaving) + " yet to remove the policy"));
  }

  private static String leavingText(int leaving) {
    return Texts.count(leaving, "node") + has(leaving);
  }

  private static String has(int nodes) {
    return nodes == 1 ? " has" : " have";
  }

  private static Finding ofProgress(PolicyReport report, boolean programmed) {
    PolicyReport.Counts counts = report.counts();
    boolean joined = programmed && report.completed();
    if (!joined && (counts.pending() > 0 || counts.settling() > 0)) {
      return plain(Reasons.PENDING, pendingMessage(report));
    }
    if (counts.leaving() > 0) {
      return plain(
          Reasons.PENDING,
          Texts.count(counts.leaving(), "node")
              + " no longer selected"
              + has(counts.leaving())
              + " yet to remove the policy");
    }
    if (counts.noAgent() > 0) {
      return plain(Reasons.NO_AGENT, noAgentMessage(report));
    }
    if (counts.lost() > 0) {
      String text = unknownMessage(report);
      return new Finding(Conditions.UNKNOWN, Reasons.NODES_UNKNOWN, text, shorten(text));
    }
    if (counts.desired() == 0) {
      return plain(Reasons.NO_NODE_SELECTED, "no node's labels match spec.nodeSelector");
    }
    return inForce(counts);
  }

  private static Finding inForce(PolicyReport.Counts counts) {
    int joined = counts.desired() - counts.programmed();
    return new Finding(
        Conditions.TRUE,
        Reasons.ALL_NODES_PROGRAMMED,
        "in force on "
            + nodes(counts.programmed(), counts.desired())
            + (joined == 0
                ? ""
                : "; " + joined + " joined since and" + has(joined) + " yet to report"),
        "in force");
  }

  private static String pendingMessage(PolicyReport report) {
    PolicyReport.Counts counts = report.counts();
    int pending = counts.pending();
    String settling =
        counts.settling()
            + " of them for less than rollout.minReadySeconds, "
            + report.limits().minReady().toSeconds();
    if (pending == 0) {
      return "in force on " + nodes(counts.programmed(), counts.desired()) + ", " + settling;
    }
    return nodes(pending, counts.desired())
        + has(pending)
        + " yet to report"
        + (counts.away() == 0 ? "" : ", " + counts.away() + " of them not Ready")
        + (counts.settling() == 0
            ? ""
            : "; in force on " + nodes(counts.programmed(), counts.desired()) + ", " + settling)
        + (counts.noAgent() == 0 ? "" : "; " + noAgentMessage(report));
  }

  static String noAgentMessage(PolicyReport report) {
    return "no agent answers on "
        + nodes(report.counts().noAgent(), report.counts().desired())
        + ": "
        + Texts.some(report.withoutAgent(), report.counts().noAgent());
  }

  private static String unknownMessage(PolicyReport report) {
    int lost = report.counts().lost();
    return nodes(lost, report.counts().desired())
        + (lost == 1 ? " is" : " are")
        + " in an unknown state: "
        + named(report.unknownNodes(), lost);
  }

  private static Finding failed(String reason, String message, String summary) {
    return new Finding(Conditions.FALSE, reason, message, shorten(summary));
  }

  private static String failures(PolicyReport report) {
    int failed = report.counts().failed();
    return nodes(failed, report.counts().desired())
        + " failed ("
        + names(report.failedNodes(), failed)
        + "): "
        + (report.failedNodes().isEmpty() ? "" : report.failedNodes().get(0).message());
  }

  private static String names(List<FailedNode> nodes, int all) {
    return Texts.some(nodes.stream().limit(NAMES).map(FailedNode::name).toList(), all);
  }

  static String refusalReason(PolicyReport report) {
    return report.refusedNodes().get(0).reason();
  }

  static String refusedMessage(PolicyReport report) {
    int refused = report.counts().refused();
    return nodes(refused, report.counts().desired())
        + (refused == 1 ? " has" : " have")
        + " no room for this policy beside those before it in order, and"
        + (refused == 1 ? " keeps its" : " keep their")
        + " earlier state: "
        + named(report.refusedNodes(), refused);
  }

  private static Finding refused(PolicyReport report) {
    int refused = report.counts().refused();
    return failed(
        refusalReason(report),
        refusedMessage(report),
        "refused on "
            + nodes(refused, report.counts().desired())
            + " ("
            + names(report.refusedNodes(), refused)
            + "): "
            + report.refusedNodes().get(0).message());
  }

  private static Finding plain(String reason, String text) {
    return new Finding(Conditions.FALSE, reason, text, shorten(text));
  }

  static String haltedMessage(PolicyReport report) {
    PolicyReport.Counts counts = report.counts();
    int kept = counts.desired() - counts.programmed() - counts.failed();
    return failedMessage(report)
        + "; more than rollout.maxFailures, which is "
        + maxFailures(report)
        + ", so the rollout of generation "
        + report.generation()
        + " has halted; "
        + nodes(counts.held(), counts.desired())
        + (counts.held() == 1 ? " keeps its" : " keep their")
        + " earlier state"
        + (kept > counts.held()
            ? ", " + (kept - counts.held()) + has(kept - counts.held()) + " yet to report"
            : "");
  }

  private static String maxFailures(PolicyReport report) {
    NodeAmount most = report.limits().maxFailures();
    int desired = report.counts().desired();
    return most.percent() ? most + " (" + most.of(desired) + ")" : most.toString();
  }

  static String failedMessage(PolicyReport report) {
    int failed = report.counts().failed();
    return nodes(failed, report.counts().desired())
        + " failed: "
        + named(report.failedNodes(), failed);
  }

  private static String named(List<FailedNode> nodes, int all) {
    return Texts.someSentences(
        nodes.stream().map(node -> node.name() + ": " + node.message()).toList(), all);
  }

  private static String nodes(int some, int all) {
    return some + " of " + all + (all == 1 ? " node" : " nodes");
  }

  static String shorten(String text) {
    return text.length() <= SUMMARY_LENGTH ? text : text.substring(0, SUMMARY_LENGTH - 1) + "…";
  }
}

package dev.tokenbucket.operator.status;

import dev.tokenbucket.api.v1alpha1.FailedNode;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.operator.fleet.PolicyReport;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What matters most of a report: the reason and message of condition Programmed, and the short text
 * for a table's column.
 */
record Finding(String reason, String message, String summary) {
  private static final int SUMMARY_LENGTH = 160;
  private static final int NAMES = 3;

  boolean programmed() {
    return reason.equals(Reasons.ALL_NODES_PROGRAMMED);
  }

  /** The first that applies, the gravest first. */
  static Finding of(PolicyReport report) {
    if (!report.withoutRoom().isEmpty()) {
      return withoutRoom(report);
    }
    if (report.halted()) {
      return new Finding(
          Reasons.ROLLOUT_HALTED,
          haltedMessage(report),
          shorten(
              "rollout halted: "
                  + nodes(report.failed(), report.desired())
                  + " failed ("
                  + names(report.failedNodes().stream().map(FailedNode::name).toList(), report)
                  + "): "
                  + firstMessage(report)));
    }
    if (report.failed() > 0) {
      return new Finding(
          Reasons.NODES_FAILED,
          nodes(report.failed(), report.desired()) + " failed",
          shorten(
              nodes(report.failed(), report.desired())
                  + " failed ("
                  + names(report.failedNodes().stream().map(FailedNode::name).toList(), report)
                  + "): "
                  + firstMessage(report)));
    }
    if (report.paused() && report.held() > 0) {
      return plain(
          Reasons.ROLLOUT_PAUSED,
          "rollout paused: " + nodes(report.held(), report.desired()) + " not changed yet");
    }
    return ofProgress(report);
  }

  private static Finding ofProgress(PolicyReport report) {
    int pending = report.desired() - report.programmed();
    if (pending > 0) {
      String away = report.away() == 0 ? "" : ", " + report.away() + " of them not Ready";
      return plain(
          Reasons.PENDING, nodes(pending, report.desired()) + " have yet to report" + away);
    }
    if (report.leaving() > 0) {
      return plain(
          Reasons.PENDING, report.leaving() + " nodes no longer selected have yet to remove it");
    }
    if (report.desired() == 0) {
      return plain(Reasons.NO_NODE_SELECTED, "no node's labels match spec.nodeSelector");
    }
    return new Finding(
        Reasons.ALL_NODES_PROGRAMMED,
        "in force on " + nodes(report.desired(), report.desired()),
        "in force");
  }

  private static Finding withoutRoom(PolicyReport report) {
    int count = report.withoutRoom().size();
    String where =
        report.withoutRoom().stream().limit(NAMES).collect(Collectors.joining(", "))
            + (count > NAMES ? " and " + (count - NAMES) + " more" : "");
    return new Finding(
        Reasons.NODE_STATE_TOO_LARGE,
        nodes(count, report.desired())
            + " ("
            + where
            + ") would have a node state of more than 256 KiB with it and keep what they have of"
            + " it; shorten match and exempt, or have fewer policies select these nodes",
        shorten("refused: no room in the node state of " + where));
  }

  private static Finding plain(String reason, String text) {
    return new Finding(reason, text, shorten(text));
  }

  static String haltedMessage(PolicyReport report) {
    int kept = report.desired() - report.programmed() - report.failed();
    return failedMessage(report)
        + "; more than rollout.maxFailures, which is "
        + report.maxFailures()
        + ", so the rollout of generation "
        + report.generation()
        + " has halted; "
        + nodes(report.held(), report.desired())
        + " keep what they had"
        + (kept > report.held() ? ", " + (kept - report.held()) + " have yet to report" : "");
  }

  static String failedMessage(PolicyReport report) {
    int more = report.failed() - report.failedNodes().size();
    return nodes(report.failed(), report.desired())
        + " failed: "
        + report.failedNodes().stream()
            .map(node -> node.name() + ": " + node.message())
            .collect(Collectors.joining("; "))
        + (more > 0 ? "; and " + more + " more" : "");
  }

  private static String names(List<String> names, PolicyReport report) {
    int more = report.failed() - Math.min(NAMES, names.size());
    return names.stream().limit(NAMES).collect(Collectors.joining(", "))
        + (more > 0 ? " and " + more + " more" : "");
  }

  private static String firstMessage(PolicyReport report) {
    return report.failedNodes().isEmpty() ? "" : report.failedNodes().get(0).message();
  }

  private static String nodes(int some, int all) {
    return some + " of " + all + (all == 1 ? " node" : " nodes");
  }

  static String shorten(String text) {
    return text.length() <= SUMMARY_LENGTH ? text : text.substring(0, SUMMARY_LENGTH - 1) + "…";
  }
}

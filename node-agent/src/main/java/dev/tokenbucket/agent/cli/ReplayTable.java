// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.replay.ReplayReport;
import dev.tokenbucket.agent.replay.ReplayReport.KeyReport;
import dev.tokenbucket.agent.replay.ReplayReport.PolicyReport;
import dev.tokenbucket.agent.replay.ReplayReport.Refusal;
import dev.tokenbucket.agent.replay.Timeline;
import dev.tokenbucket.api.v1alpha1.TokenRate;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Help.ColorScheme;

/** A replay's report for people. */
final class ReplayTable {
  private static final int BAR = 40;

  private final PrintWriter out;
  private final ColorScheme colors;

  ReplayTable(PrintWriter out, ColorScheme colors) {
    this.out = out;
    this.colors = colors;
  }

  void print(ReplayReport report) {
    out.printf(
        "%,d packets in %.3f s, starting at %s, %s: %,d passed, %,d dropped%n",
        report.packets(),
        report.seconds(),
        report.begin(),
        report.direction(),
        report.passed(),
        report.dropped());
    note(report.notIp(), "frames held no IP, and passed");
    note(report.failsafeExempt(), "packets were exempt as failsafe traffic");
    note(
        report.shortened(),
        "packets are longer than the kernel can replay, and were charged for the"
            + " largest length it can");
    policies(report.policies());
    report.policies().forEach(this::details);
  }

  private void note(long count, String what) {
    if (count != 0) {
      out.printf("%,d %s%n", count, what);
    }
  }

  private void policies(List<PolicyReport> policies) {
    Rows rows =
        new Rows(
            colors, "POLICY", "RATE", "BURST", "PER", "MODE", "CONFORM", "BYTES", "EXCEED",
            "BYTES");
    for (PolicyReport each : policies) {
      rows.add(
          each.name(),
          TokenRate.of(each.unit(), each.rate(), each.ratePeriod()).text(),
          each.unit().burstText(each.burst()),
          each.per(),
          each.mode(),
          each.conformPackets(),
          each.conformBytes(),
          each.exceedPackets(),
          each.exceedBytes());
    }
    out.print(rows);
  }

  private void details(PolicyReport policy) {
    if (policy.overflowPackets() != 0) {
      out.printf(
          "%s: %,d packets found no place in the table, and were judged by the overflow"
              + " bucket%n",
          policy.name(), policy.overflowPackets());
    }
    if (policy.markedPackets() != 0) {
      out.printf(
          "%s: %,d of the packets that exceeded were marked%n",
          policy.name(), policy.markedPackets());
    }
    keys(policy);
    refusals(policy);
    timeline(policy);
  }

  private void keys(PolicyReport policy) {
    if (policy.keys().isEmpty()) {
      return;
    }
    out.printf(
        "%nkeys of %s, most refusals first (%,d of %,d)%n",
        policy.name(), policy.keys().size(), policy.keyCount());
    Rows rows = new Rows(colors, "KEY", "CONFORM", "BYTES", "EXCEED", "BYTES", "FIRST REFUSAL");
    for (KeyReport each : policy.keys()) {
      Double first = each.firstExceedSeconds();
      rows.add(
          each.key(),
          each.conformPackets(),
          each.conformBytes(),
          each.exceedPackets(),
          each.exceedBytes(),
          first == null ? "none" : "%.6f s".formatted(first));
    }
    out.print(rows);
  }

  private void refusals(PolicyReport policy) {
    if (policy.firstRefusals().isEmpty()) {
      return;
    }
    out.printf("%nfirst refusals of %s%n", policy.name());
    Rows rows = new Rows(colors, "PACKET", "TIME", "BYTES", "KEY");
    for (Refusal each : policy.firstRefusals()) {
      rows.add(each.packet(), "%.6f s".formatted(each.seconds()), each.bytes(), each.key());
    }
    out.print(rows);
  }

  private void timeline(PolicyReport policy) {
    if (policy.timeline().isEmpty()) {
      return;
    }
    out.printf(
        "%ntimeline of %s, one line per %.0f s; = conforms, x exceeds%n",
        policy.name(), policy.stepSeconds());
    long most =
        policy.timeline().stream()
            .mapToLong(step -> step.conformPackets() + step.exceedPackets())
            .max()
            .orElse(1);
    Rows rows = new Rows(colors, "FROM", "CONFORM", "EXCEED", "");
    for (Timeline.Step step : policy.timeline()) {
      rows.add(
          "%.0f s".formatted(step.seconds()),
          step.conformPackets(),
          step.exceedPackets(),
          "=".repeat((int) (BAR * step.conformPackets() / Math.max(1, most)))
              + "x".repeat((int) (BAR * step.exceedPackets() / Math.max(1, most))));
    }
    out.print(rows);
  }
}

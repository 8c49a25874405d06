// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.scale;

import dev.tokenbucket.testing.StepFailedException;
import dev.tokenbucket.testing.scale.ScaleResult.Change;
import dev.tokenbucket.testing.scale.ScaleResult.Size;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Results as a Markdown table, as printed and as in docs/performance.md. */
final class ScaleReport {
  private static final String BEGIN = "<!-- bench-scale: begin -->\n";
  private static final String END = "<!-- bench-scale: end -->\n";

  static final double MOST_SECONDS = 60;
  static final double MOST_WRITES = 2;
  static final double MOST_MEGABYTES = 512;
  static final double MOST_IDLE_MEGABYTES = 150;

  private record Row(
      String what, Function<Size, String> value, String goal, @Nullable Predicate<Size> met) {}

  private static final List<Row> ROWS =
      List.of(
          new Row(
              "policies, of which a node has",
              s -> "%d, %.1f".formatted(s.policies(), s.entriesPerNode()),
              "",
              null),
          change("all policies applied", Size::applied),
          cpu("all policies applied", Size::applied),
          writes("all policies applied", Size::applied),
          change("one policy changed on every node", Size::changed),
          cpu("one policy changed on every node", Size::changed),
          writes("one policy changed on every node", Size::changed),
          change("every node relabelled", Size::relabelled),
          cpu("every node relabelled", Size::relabelled),
          writes("every node relabelled", Size::relabelled),
          new Row(
              "operator: RSS over an empty cluster, MB",
              s -> "%.0f".formatted(s.idle()),
              "≤ 150",
              s -> s.idle() <= MOST_IDLE_MEGABYTES),
          new Row(
              "operator: RSS with everything in place / at the most, MB",
              s -> "%.0f / %.0f".formatted(s.rssAtEnd(), s.rssPeak()),
              "≤ 512",
              s -> s.rssPeak() <= MOST_MEGABYTES),
          new Row(
              "operator killed: from its start until it has nothing to do, s; writes",
              s -> "%.1f; %d".formatted(s.restartSeconds(), s.restartWrites().all()),
              "0 writes",
              s -> s.restartWrites().all() == 0),
          new Row(
              "writes in a steady minute",
              s -> s.steadyWrites().all() + " in " + s.steadySeconds() + " s",
              "0",
              s -> s.steadyWrites().all() == 0));

  private ScaleReport() {}

  private static Row change(String what, Function<Size, Change> change) {
    return new Row(
        what + ": until the last node runs it / until Programmed=True, s",
        s ->
            "%.1f / %.1f"
                .formatted(change.apply(s).lastNodeSeconds(), change.apply(s).programmedSeconds()),
        "≤ 60",
        s -> change.apply(s).programmedSeconds() <= MOST_SECONDS);
  }

  private static Row cpu(String what, Function<Size, Change> change) {
    return new Row(
        what + ": CPU of API server / etcd / operator, s",
        s ->
            "%.1f / %.1f / %.1f"
                .formatted(
                    change.apply(s).apiServerCpu(),
                    change.apply(s).etcdCpu(),
                    change.apply(s).operatorCpu()),
        "",
        null);
  }

  private static Row writes(String what, Function<Size, Change> change) {
    return new Row(
        what + ": writes a node a change, operator / agent; of policies' status; Events",
        s ->
            "%.2f / %.2f; %d; %d"
                .formatted(
                    change.apply(s).nodeWrites(),
                    change.apply(s).statusWrites(),
                    change.apply(s).writes().policyStatuses(),
                    change.apply(s).writes().events()),
        "≤ 2",
        s -> change.apply(s).nodeWrites() + change.apply(s).statusWrites() <= MOST_WRITES);
  }

  static String markdown(ScaleResult result) {
    StringBuilder to = new StringBuilder(result.machine()).append("\n\n| nodes |");
    result.sizes().forEach(size -> to.append(" %,d | |".formatted(size.nodes())));
    to.append(" goal |\n|---|").append("---|---|".repeat(result.sizes().size())).append("---|\n");
    for (Row row : ROWS) {
      to.append("| ").append(row.what()).append(" |");
      for (Size size : result.sizes()) {
        to.append(' ')
            .append(row.value().apply(size))
            .append(" | ")
            .append(met(row, size))
            .append(" |");
      }
      to.append(' ').append(row.goal()).append(" |\n");
    }
    return to.toString();
  }

  private static String met(Row row, Size size) {
    return row.met() == null ? "" : row.met().test(size) ? "met" : "**missed**";
  }

  /** The page with a new table between its markers. */
  static String replaced(String page, String table) {
    int begin = page.indexOf(BEGIN);
    int end = page.indexOf(END);
    if (begin < 0 || end < begin) {
      throw new StepFailedException(
          "the page needs a line " + BEGIN.strip() + " and, after it, a line " + END.strip(), null);
    }
    return page.substring(0, begin + BEGIN.length()) + "\n" + table + "\n" + page.substring(end);
  }
}

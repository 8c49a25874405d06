// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import dev.tokenbucket.testing.StepFailedException;
import dev.tokenbucket.testing.bench.EndToEndResult.Comparison;
import dev.tokenbucket.testing.bench.EndToEndResult.Row;
import dev.tokenbucket.testing.bench.MicroResult.Cpus;
import dev.tokenbucket.testing.bench.MicroResult.Further;
import dev.tokenbucket.testing.bench.MicroResult.PerPacket;
import dev.tokenbucket.testing.bench.MicroResult.Program;
import java.util.Formatter;
import java.util.Locale;

/** Results as Markdown tables, as printed and as in docs/performance.md. */
final class Report {
  private static final String BEGIN = "<!-- bench: begin -->\n";
  private static final String END = "<!-- bench: end -->\n";

  private Report() {}

  /** The page with new tables between its markers. */
  static String replaced(String page, String tables) {
    int begin = page.indexOf(BEGIN);
    int end = page.indexOf(END);
    if (begin < 0 || end < begin) {
      throw new StepFailedException(
          "the page needs a line " + BEGIN.strip() + " and, after it, a line " + END.strip(), null);
    }
    return page.substring(0, begin + BEGIN.length()) + "\n" + tables + page.substring(end);
  }

  static String markdown(BenchResult result) {
    String micro = result.micro() == null ? "" : markdown(result.micro());
    String endToEnd = result.endToEnd() == null ? "" : markdown(result.endToEnd());
    return result.machine().text() + "\n\n" + micro + endToEnd;
  }

  static String markdown(MicroResult micro) {
    Formatter to = new Formatter(new StringBuilder(), Locale.ROOT);
    micro(to, micro);
    return to.toString();
  }

  static String markdown(EndToEndResult endToEnd) {
    Formatter to = new Formatter(new StringBuilder(), Locale.ROOT);
    endToEnd(to, endToEnd);
    return to.toString();
  }

  private static void micro(Formatter to, MicroResult micro) {
    to.format("### A packet's cost%n%n");
    to.format("| bucket | verdict | ns (min/median/max) | net | textbook net |");
    to.format(" textbook/ours | goal | | clock readings | goal | |%n");
    to.format("|---|---|---|---|---|---|---|---|---|---|---|%n");
    for (PerPacket row : micro.perPacket()) {
      to.format(
          "| %s | %s | %s | %.1f | %.1f | %.1f | ≥ %s | %s | %.2f | ≤ %s | %s |%n",
          row.key(),
          row.verdict() == Subject.Expected.CONFORM ? "conforms" : "exceeds",
          spread(row.nanos(), "%.0f"),
          row.net(),
          row.textbookNet(),
          row.ratio(),
          number(row.goal().ratio()),
          met(row.ratioMet()),
          row.clocks(),
          number(row.goal().clocks()),
          met(row.clocksMet()));
    }
    to.format("%n");
    further(to, micro);
    cpus(to, micro);
    sizes(to, micro);
  }

  private static void further(Formatter to, MicroResult micro) {
    if (micro.further().isEmpty()) {
      return;
    }
    to.format("| on top | ns added | at most | which is | |%n|---|---|---|---|---|%n");
    for (Further row : micro.further()) {
      to.format(
          "| %s | %.1f | %.1f | %s | %s |%n",
          row.what(), row.added(), row.most(), row.mostIs(), met(row.met()));
    }
    to.format("%n");
  }

  private static void cpus(Formatter to, MicroResult micro) {
    if (micro.cpus().isEmpty()) {
      return;
    }
    to.format("| two CPUs over one, packets/s | min/median/max | goal | |%n|---|---|---|---|%n");
    for (Cpus row : micro.cpus()) {
      boolean goal = row.goal() > 0;
      to.format(
          "| %s | %s | %s | %s |%n",
          row.program(),
          spread(row.throughput(), "%.2f"),
          goal ? "≥ " + number(row.goal()) : "",
          goal ? met(row.met()) : "");
    }
    to.format("%n");
  }

  private static void sizes(Formatter to, MicroResult micro) {
    to.format(
        "| program | ns (min/median/max) | instructions | verified | machine code, bytes |%n");
    to.format("|---|---|---|---|---|%n");
    for (Program row : micro.programs()) {
      to.format(
          "| %s | %s | %d | %d | %d |%n",
          row.name(),
          spread(row.nanos(), "%.0f"),
          row.size().instructions(),
          row.size().verified(),
          row.size().machineBytes());
    }
    to.format("%n");
  }

  private static void endToEnd(Formatter to, EndToEndResult result) {
    to.format("### Through a flooded interface%n%n");
    to.format("%,d packets a round.%n%n", result.packets());
    to.format("| limiter | sources | granted a bucket: packets/s, burst |");
    to.format(" 1,000 packets/s dealt with (min/median/max) |%n|---|---|---|---|%n");
    for (Row row : result.rows()) {
      to.format(
          "| %s | %s | %,d, %,d | %s |%n",
          row.limiter(),
          row.sources().text(),
          row.limit().rate(),
          row.limit().burst(),
          spread(row.perSecond().times(0.001), "%.0f"));
    }
    to.format("%n| ratio, round by round | sources | min/median/max | goal | |%n");
    to.format("|---|---|---|---|---|%n");
    for (Comparison row : result.comparisons()) {
      to.format(
          "| %s / %s | %s | %s | ≥ %s | %s |%n",
          row.ours(),
          row.peer(),
          row.sources().text(),
          spread(row.ratio(), "%.2f"),
          number(row.goal()),
          met(row.met()));
    }
    to.format("%n");
  }

  private static String met(boolean met) {
    return met ? "met" : "**missed**";
  }

  private static String number(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }

  private static String spread(Spread spread, String format) {
    return String.format(
        Locale.ROOT,
        format + " / " + format + " / " + format,
        spread.min(),
        spread.median(),
        spread.max());
  }
}

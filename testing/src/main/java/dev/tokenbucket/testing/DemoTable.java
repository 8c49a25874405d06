// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.io.PrintStream;
import java.util.Locale;

/**
 * The demo's rows: what was offered, what arrived, and how far the arrivals are from the policy's
 * rate.
 */
final class DemoTable {
  private static final double MAX_ERROR_PERCENT = 1;
  private static final String FORMAT = "%-26s %12s %12s %12s %9s %10s %8s  %s%n";

  private final PrintStream out;

  DemoTable(PrintStream out) {
    this.out = out;
  }

  void header() {
    out.printf(
        FORMAT, "CASE", "OFFERED", "ARRIVED", "POLICY", "ERROR %", "DROPPED", "LOST", "UNIT");
  }

  /**
   * Prints a case's rows.
   *
   * @param drops the drops that the classifier counted
   * @throws StepFailedException if a rate is more than 1 % off, or if a source below its rate lost
   *     a packet
   */
  void rows(DemoCase shown, TrafficRun.Result result, long drops) {
    if (!shown.perSource()) {
      double factor = shown.unit() == DemoCase.Unit.BITS ? 8.0 * result.received().frameBytes() : 1;
      double arrived = result.received().perSecond() * factor;
      double error = (arrived / shown.rate() - 1) * 100;
      row(shown, shown.title(), result.offeredPerSecond() * factor, arrived, error, drops, "");
      check(shown.title(), error);
      return;
    }
    result
        .sent()
        .forEach(
            (source, sent) -> {
              Traffic.FromSource there =
                  result.received().sources().getOrDefault(source, new Traffic.FromSource(0, 0));
              double arrived = there.inWindow() / result.received().seconds();
              boolean below = sent.perSecond() < shown.rate();
              double wanted = below ? sent.perSecond() : shown.rate();
              double error = (arrived / wanted - 1) * 100;
              long lost = sent.packets() - there.total();
              boolean first = source.equals(result.sent().keySet().iterator().next());
              row(
                  shown,
                  shown.title() + ", " + source,
                  sent.perSecond(),
                  arrived,
                  error,
                  first ? drops : -1,
                  below ? Long.toString(lost) : "");
              check(shown.title() + ", " + source, error);
              if (below && lost != 0) {
                throw new StepFailedException(
                    source + " sent less than the policy's rate and lost " + lost + " packets",
                    null);
              }
            });
  }

  private void row(
      DemoCase shown,
      String title,
      double offered,
      double arrived,
      double error,
      long drops,
      String lost) {
    out.printf(
        FORMAT,
        title,
        whole(offered),
        whole(arrived),
        whole((double) shown.rate()),
        String.format(Locale.ROOT, "%+.2f", error),
        drops < 0 ? "" : whole((double) drops),
        lost,
        shown.unit().text());
    out.flush();
  }

  private static String whole(double number) {
    return String.format(Locale.ROOT, "%,.0f", number);
  }

  private static void check(String title, double error) {
    if (Math.abs(error) > MAX_ERROR_PERCENT) {
      throw new StepFailedException(
          String.format(
              Locale.ROOT,
              "%s: what arrived is %+.2f %% off the policy's rate, more than %.0f %%",
              title,
              error,
              MAX_ERROR_PERCENT),
          null);
    }
  }
}

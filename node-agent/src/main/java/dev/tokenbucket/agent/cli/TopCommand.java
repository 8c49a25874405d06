// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.host.CommandFailure.Exit;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.source.Documents;
import dev.tokenbucket.agent.top.Top;
import dev.tokenbucket.agent.top.TopReport;
import dev.tokenbucket.agent.top.TopReport.KeyRates;
import dev.tokenbucket.agent.top.TopReport.PolicyRates;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.TokenRate;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Shows which keys are limited now. */
@Command(
    name = "top",
    description =
        "Shows what each policy passes and refuses per second, and which keys are"
            + " limited now; repeats until interrupted.",
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {
      "0:the kernel was read",
      "1:the kernel could not be read",
      "3:no hook on this host runs a Tokenbucket program",
      "5:a capability is missing",
      "6:--bpffs is not on a BPF file system"
    })
public final class TopCommand implements Callable<Integer> {
  private static final int DECIMALS = 1;

  /** Moves a terminal's cursor to the first line and clears everything below. */
  private static final String HOME = "\u001b[H\u001b[J";

  @Option(names = "--once", description = "Shows one interval, then ends.")
  private boolean once;

  @Option(
      names = "--interval",
      paramLabel = "SECONDS",
      defaultValue = "2",
      description = "The length of an interval (default: ${DEFAULT-VALUE}).")
  private int interval;

  @Option(
      names = "--keys",
      paramLabel = "N",
      defaultValue = "10",
      description = "How many keys to show per policy (default: ${DEFAULT-VALUE}).")
  private int keys;

  @Mixin private TableOrJson output = new TableOrJson();

  @Mixin private HostOptions host = new HostOptions();

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException, InterruptedException {
    requireFrom("--interval", interval, 1);
    requireFrom("--keys", keys, 1);
    host.requireReadablePins();
    Top top = new Top(new LinuxKernel(), host.bpffs, host.stateDir, keys);
    boolean refreshes = !output.isJson() && !once && Terminal.isStandardOutput();
    do {
      TimeUnit.SECONDS.sleep(interval);
      TopReport report = top.next();
      if (refreshes) {
        spec.commandLine().getOut().print(HOME);
      }
      print(report);
    } while (!once);
    return (top.findsPolicies() ? Exit.OK : Exit.NO_HOOK).code();
  }

  private void requireFrom(String option, int value, int least) {
    if (value < least) {
      throw new ParameterException(
          spec.commandLine(), "%s %d: must be at least %d".formatted(option, value, least));
    }
  }

  private void print(TopReport report) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (output.isJson()) {
      out.println(Documents.json(report));
    } else {
      table(out, report);
    }
    out.flush();
  }

  private void table(PrintWriter out, TopReport report) {
    if (report.policies().isEmpty()) {
      out.println("no hook on this host runs a Tokenbucket program");
      return;
    }
    Rows rows =
        new Rows(
            spec.commandLine().getColorScheme(),
            "POLICY",
            "RATE",
            "PER",
            "CONFORM/S",
            "BIT/S",
            "EXCEED/S",
            "BIT/S",
            "KEYS",
            "LIMITED");
    for (PolicyRates each : report.policies()) {
      rows.add(
          each.name() + (each.mode() == Mode.Audit ? " (Audit)" : ""),
          TokenRate.of(each.unit(), each.rate(), each.ratePeriod()).text(),
          each.per(),
          Math.round(each.conformPackets()),
          Math.round(Byte.SIZE * each.conformBytes()),
          Math.round(each.exceedPackets()),
          Math.round(Byte.SIZE * each.exceedBytes()),
          each.keyCount() == null ? "-" : each.keyCount(),
          each.limitedKeys() == null ? "-" : each.limitedKeys());
    }
    out.print(rows);
    report.policies().forEach(each -> keys(out, each));
  }

  private void keys(PrintWriter out, PolicyRates policy) {
    if (policy.keys().isEmpty()) {
      return;
    }
    out.printf(
        "%nkeys of %s, limited ones first, then those with the fewest tokens left%n",
        policy.name());
    Rows rows =
        new Rows(spec.commandLine().getColorScheme(), "KEY", "LIMITED", "HOLDS", "SPENDS/S");
    for (KeyRates each : policy.keys()) {
      Double spent = each.spent();
      rows.add(
          each.key(),
          each.limited() ? "yes" : "no",
          policy.unit().tokensText(each.tokens(), DECIMALS),
          spent == null ? "-" : policy.unit().tokensText(spent, DECIMALS));
    }
    out.print(rows);
  }
}

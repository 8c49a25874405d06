// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.tokenbucket.agent.host.CommandFailure.Exit;
import dev.tokenbucket.agent.host.StateFiles;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.program.Programmer;
import dev.tokenbucket.agent.program.RunningHook;
import dev.tokenbucket.agent.program.RunningHook.Exempted;
import dev.tokenbucket.agent.source.Documents;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Column;
import picocli.CommandLine.Help.Column.Overflow;
import picocli.CommandLine.Help.TextTable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Shows the programs that the kernel runs, and the policies that were refused. */
@Command(
    name = "status",
    description = "Shows what the kernel runs: hooks, programs, parameters, counters.",
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {
      "0:a hook on this host runs a Tokenbucket program",
      "1:the kernel could not be read",
      "3:no hook runs one",
      "4:the only Tokenbucket programs here are those of an agent of another version",
      "5:a capability is missing",
      "6:--bpffs is not on a BPF file system"
    })
public final class StatusCommand implements Callable<Integer> {
  /** The version rises with a change that breaks readers of the previous schema. */
  static final String SCHEMA = "tokenbucket.dev/status/v1";

  private static final int[] WIDTHS = {16, 13, 9, 24, 5, 24, 18, 14, 14};
  private static final int[] MORE_WIDTHS = {12, 11, 9, 18, 18};

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Format output = Format.table;

  @Option(names = "--json", description = "The same as --output=json.")
  private boolean json;

  @Option(
      names = {"-w", "--watch"},
      arity = "0..1",
      fallbackValue = "2",
      paramLabel = "SECONDS",
      description =
          "Shows the status again every N seconds (2 if no number is given), until"
              + " interrupted.")
  private @Nullable Integer watch;

  @Mixin private HostOptions host = new HostOptions();

  @Spec private CommandSpec spec = CommandSpec.create();

  private enum Format {
    table,
    wide,
    json,
    yaml
  }

  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Status(
      String schema,
      List<RunningHook> hooks,
      List<String> failsafes,
      List<String> warnings,
      List<String> refused) {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (watch != null && watch < 1) {
      throw new ParameterException(
          spec.commandLine(), "--watch " + watch + ": must be a number of seconds, at least 1");
    }
    host.requireReadablePins();
    Programmer programmer = new Programmer(new LinuxKernel(), host.bpffs, host.stateDir);
    while (watch != null) {
      show(programmer);
      spec.commandLine().getOut().println();
      spec.commandLine().getOut().flush();
      TimeUnit.SECONDS.sleep(watch);
    }
    return show(programmer).code();
  }

  private Exit show(Programmer programmer) throws IOException {
    Status status =
        new Status(
            SCHEMA,
            programmer.running(),
            StateFiles.FAILSAFES.lines(host.stateDir),
            StateFiles.WARNINGS.lines(host.stateDir),
            StateFiles.REFUSALS.lines(host.stateDir));
    List<String> others = programmer.otherLayouts();
    PrintWriter out = spec.commandLine().getOut();
    switch (json ? Format.json : output) {
      case table -> print(out, status, false);
      case wide -> print(out, status, true);
      case json -> out.println(Documents.json(status));
      case yaml -> out.print(Documents.yaml(status));
    }
    out.flush();
    if (!others.isEmpty()) {
      spec.commandLine()
          .getErr()
          .println(
              ("an agent of another version has maps here (layout %s), which this version of"
                      + " tb can't read; use the tb of that version")
                  .formatted(String.join(", ", others)));
    }
    if (!status.hooks().isEmpty()) {
      return Exit.OK;
    }
    return others.isEmpty() ? Exit.NO_HOOK : Exit.OTHER_LAYOUT;
  }

  private void print(PrintWriter out, Status status, boolean wide) {
    if (status.hooks().isEmpty()) {
      out.println("no hook on this host runs a Tokenbucket program");
    } else {
      out.print(table(status.hooks(), wide));
      status.hooks().forEach(hook -> printBuckets(out, hook));
      printFailsafes(out, status);
    }
    status.warnings().forEach(each -> out.println("warning: " + each));
    status.refused().forEach(each -> out.println("refused: " + each));
  }

  private static void printBuckets(PrintWriter out, RunningHook hook) {
    for (RunningHook.RunningPolicy policy : hook.policies()) {
      RunningHook.Parent parent = policy.parent();
      if (parent != null) {
        out.printf(
            "parent bucket of %s on %s %s: %s; it refused %,d packets that their own buckets had"
                + " tokens for%n",
            policy.name(),
            hook.interfaceName(),
            hook.direction(),
            parent.limit(policy.unit()).text(),
            parent.exceedPackets());
      }
      RunningHook.Buckets buckets = policy.buckets();
      if (buckets != null) {
        out.printf(
            "buckets of %s: %,d of %,d in use, %,d swept, %,d evicted, %,d packets by the"
                + " shared one, %,d kB of kernel memory (%,d bytes per bucket)%n",
            policy.name(),
            buckets.used(),
            buckets.capacity(),
            buckets.swept(),
            buckets.evicted(),
            policy.overflowPackets(),
            buckets.memoryBytes() / 1024,
            buckets.memoryBytes() / buckets.capacity());
      }
    }
  }

  private static void printFailsafes(PrintWriter out, Status status) {
    status
        .failsafes()
        .forEach(each -> out.println("exempt unless a policy says otherwise: " + each));
    status
        .hooks()
        .forEach(
            hook ->
                out.printf(
                    "exempted on %s %s: %,d packets%s; %,d exceeded the failsafes' own limit and"
                        + " were judged by the policies%s%n",
                    hook.interfaceName(),
                    hook.direction(),
                    hook.failsafeExemptPackets(),
                    byKind(hook, Exempted::exemptPackets),
                    hook.failsafeExceedPackets(),
                    byKind(hook, Exempted::exceedPackets)));
  }

  private static String byKind(RunningHook hook, ToLongFunction<Exempted> packets) {
    String kinds =
        hook.failsafes().stream()
            .filter(each -> packets.applyAsLong(each) != 0)
            .map(each -> "%,d %s".formatted(packets.applyAsLong(each), each.kind()))
            .collect(Collectors.joining(", "));
    return kinds.isEmpty() ? "" : " (" + kinds + ")";
  }

  private String table(List<RunningHook> hooks, boolean wide) {
    List<Column> columns = new ArrayList<>();
    for (int width : WIDTHS) {
      columns.add(new Column(width, 0, Overflow.SPAN));
    }
    for (int width : wide ? MORE_WIDTHS : new int[0]) {
      columns.add(new Column(width, 0, Overflow.SPAN));
    }
    TextTable table =
        TextTable.forColumns(
            spec.commandLine().getColorScheme(), columns.toArray(new Column[columns.size()]));
    addRow(
        table,
        List.of("INTERFACE", "HOOK", "PROGRAM", "POLICY", "GEN", "RATE", "BURST"),
        List.of("CONFORM", "EXCEED"),
        wide ? List.of("PER", "ACTION", "MODE", "CONFORM BYTES", "EXCEED BYTES") : List.of());
    for (RunningHook hook : hooks) {
      for (RunningHook.RunningPolicy policy : hook.policies()) {
        addRow(
            table,
            List.of(
                hook.interfaceName(),
                hook.hook() + " " + hook.direction(),
                Long.toString(hook.programId()),
                policy.name(),
                Long.toString(policy.generation()),
                policy.rateText(),
                policy.burstText()),
            List.of(Long.toString(policy.conformPackets()), Long.toString(policy.exceedPackets())),
            wide ? more(policy) : List.of());
      }
    }
    return table.toString();
  }

  private static List<String> more(RunningHook.RunningPolicy policy) {
    return List.of(
        policy.per().name(),
        policy.action().name(),
        policy.mode().name(),
        Long.toString(policy.conformBytes()),
        Long.toString(policy.exceedBytes()));
  }

  @SafeVarargs
  private static void addRow(TextTable table, List<String>... parts) {
    table.addRowValues(Stream.of(parts).flatMap(List::stream).toArray(String[]::new));
  }
}

package dev.tokenbucket.agent;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.program.Programmer;
import dev.tokenbucket.agent.program.RunningHook;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Column;
import picocli.CommandLine.Help.Column.Overflow;
import picocli.CommandLine.Help.TextTable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Shows what the kernel runs, and what was refused. */
@Command(
    name = "status",
    description = "Shows what the kernel runs: hooks, programs, parameters, counters.")
final class StatusCommand implements Callable<Integer> {
  @Option(names = "--json", description = "As JSON.")
  private boolean json;

  @Mixin private HostOptions host = new HostOptions();

  @Spec private CommandSpec spec = CommandSpec.create();

  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Status(
      List<RunningHook> hooks,
      List<String> failsafes,
      List<String> warnings,
      List<String> refused) {}

  @Override
  public Integer call() throws IOException {
    Programmer programmer = new Programmer(new LinuxKernel(), host.bpffs, host.stateDir);
    Status status =
        new Status(
            programmer.running(),
            StateFiles.FAILSAFES.lines(host.stateDir),
            StateFiles.WARNINGS.lines(host.stateDir),
            StateFiles.REFUSALS.lines(host.stateDir));
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(
          new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(status));
    } else {
      print(out, status);
    }
    out.flush();
    return 0;
  }

  private void print(PrintWriter out, Status status) {
    if (status.hooks().isEmpty()) {
      out.println("no hook of this host has a program of ours");
    } else {
      out.print(table(status.hooks()));
      status.hooks().forEach(hook -> printBuckets(out, hook));
      printFailsafes(out, status);
    }
    status.warnings().forEach(each -> out.println("warning: " + each));
    status.refused().forEach(each -> out.println("refused: " + each));
  }

  private static void printBuckets(PrintWriter out, RunningHook hook) {
    for (RunningHook.RunningPolicy policy : hook.policies()) {
      RunningHook.Buckets buckets = policy.buckets();
      if (buckets != null) {
        out.printf(
            "buckets of %s: %,d of %,d in use, %,d swept, %,d evicted, %,d packets by the shared one,"
                + " %,d kB of kernel memory (%,d bytes a bucket)%n",
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
                    "exempted on %s %s: %,d packets; %,d beyond the failsafes' own limit were judged"
                        + " as any%n",
                    hook.interfaceName(),
                    hook.direction(),
                    hook.failsafeExemptPackets(),
                    hook.failsafeExceedPackets()));
  }

  private String table(List<RunningHook> hooks) {
    TextTable table =
        TextTable.forColumns(
            spec.commandLine().getColorScheme(),
            new Column(16, 0, Overflow.SPAN),
            new Column(13, 0, Overflow.SPAN),
            new Column(9, 0, Overflow.SPAN),
            new Column(24, 0, Overflow.SPAN),
            new Column(5, 0, Overflow.SPAN),
            new Column(24, 0, Overflow.SPAN),
            new Column(18, 0, Overflow.SPAN),
            new Column(14, 0, Overflow.SPAN),
            new Column(14, 0, Overflow.SPAN));
    table.addRowValues(
        "INTERFACE", "HOOK", "PROGRAM", "POLICY", "GEN", "RATE", "BURST", "CONFORM", "EXCEED");
    for (RunningHook hook : hooks) {
      for (RunningHook.RunningPolicy policy : hook.policies()) {
        table.addRowValues(
            hook.interfaceName(),
            hook.hook() + " " + hook.direction(),
            Long.toString(hook.programId()),
            policy.name(),
            Long.toString(policy.generation()),
            policy.rateText(),
            policy.burstText(),
            Long.toString(policy.conformPackets()),
            Long.toString(policy.exceedPackets()));
      }
    }
    return table.toString();
  }
}

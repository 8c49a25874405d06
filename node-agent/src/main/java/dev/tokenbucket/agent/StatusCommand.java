package dev.tokenbucket.agent;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.program.Programmer;
import dev.tokenbucket.agent.program.RunningHook;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
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
  record Status(List<RunningHook> hooks, List<String> refused) {}

  @Override
  public Integer call() throws IOException {
    Programmer programmer = new Programmer(new LinuxKernel(), host.bpffs, host.stateDir);
    List<String> refused =
        Files.exists(host.refusals()) ? Files.readAllLines(host.refusals()) : List.of();
    Status status = new Status(programmer.running(), refused);
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
    }
    status.refused().forEach(each -> out.println("refused: " + each));
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

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.host.CommandFailure.Exit;
import dev.tokenbucket.agent.host.HostCheck;
import dev.tokenbucket.agent.host.HostCheck.Finding;
import dev.tokenbucket.agent.host.HostCheck.Verdict;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.source.Documents;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Reports whether this host can run the agent. */
@Command(
    name = "check",
    description = "Checks whether this host has what the agent needs; changes nothing.",
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {"0:nothing is unsupported", "1:something is"})
public final class CheckCommand implements Callable<Integer> {
  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "text",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Format output = Format.text;

  @Mixin private HostOptions host = new HostOptions();

  @Spec private CommandSpec spec = CommandSpec.create();

  private enum Format {
    text,
    json,
    yaml
  }

  private record Report(String schema, boolean supported, List<Entry> checks) {}

  private record Entry(String name, String verdict, String reason) {}

  @Override
  public Integer call() throws IOException {
    List<Finding> findings =
        new HostCheck(
                Path.of("/"),
                System.getProperty("os.version", ""),
                System.getenv().getOrDefault("PATH", ""),
                host.bpffs,
                LinuxKernel::new)
            .findings();
    boolean supported = findings.stream().noneMatch(each -> each.verdict() == Verdict.UNSUPPORTED);
    PrintWriter out = spec.commandLine().getOut();
    switch (output) {
      case text ->
          findings.forEach(
              each -> out.printf("%-14s%-13s%s%n", each.name(), each.verdict(), each.reason()));
      case json -> out.println(Documents.json(report(findings, supported)));
      case yaml -> out.print(Documents.yaml(report(findings, supported)));
    }
    out.flush();
    return (supported ? Exit.OK : Exit.FAILED).code();
  }

  private static Report report(List<Finding> findings, boolean supported) {
    return new Report(
        "tokenbucket.dev/check/v1",
        supported,
        findings.stream()
            .map(each -> new Entry(each.name(), each.verdict().toString(), each.reason()))
            .toList());
  }
}

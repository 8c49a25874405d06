// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.host.CommandFailure.Exit;
import dev.tokenbucket.agent.source.PolicyFileParser;
import dev.tokenbucket.agent.source.PolicyFileParser.Taker;
import dev.tokenbucket.agent.source.PolicyFiles;
import dev.tokenbucket.agent.source.PolicyFiles.Merged;
import dev.tokenbucket.agent.source.PolicyFiles.Parsed;
import dev.tokenbucket.agent.source.PolicyFolder;
import dev.tokenbucket.agent.source.PolicyFolder.Content;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Validates policy files as the API server would, without an API server. */
@Command(
    name = "validate",
    description =
        "Checks policy files by the API server's rules, with the API server's"
            + " messages; needs no cluster and no privileges.",
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {"0:every file is valid", "1:a file is refused; standard error says why"})
public final class ValidateCommand implements Callable<Integer> {
  private static final String STANDARD_INPUT = "-";

  @Option(
      names = "--for-host",
      description =
          "Also refuses what a host without a cluster can't do, like tb agent --policies.")
  private boolean forHost;

  @Parameters(
      arity = "1..*",
      paramLabel = "FILE",
      description =
          "Files of YAML documents, each a TokenBucketPolicy or a TokenBucketAddressSet; - reads"
              + " standard input.")
  private List<String> names = List.of();

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    PolicyFileParser parser = new PolicyFileParser(forHost ? Taker.HOST : Taker.CLUSTER);
    TreeMap<String, Parsed> parsed = new TreeMap<>();
    for (String name : names) {
      parsed.put(name, parser.parse(content(name), Map.of()));
    }
    Merged merged = new PolicyFiles(new TreeMap<>()).merge(parsed);
    PrintWriter err = spec.commandLine().getErr();
    merged.refusals().forEach(err::println);
    PrintWriter out = spec.commandLine().getOut();
    merged
        .files()
        .good()
        .forEach((file, policies) -> printGood(out, file, policies, merged.refusals()));
    out.flush();
    err.flush();
    return (merged.refusals().isEmpty() ? Exit.OK : Exit.FAILED).code();
  }

  private static Content content(String name) throws IOException {
    return name.equals(STANDARD_INPUT)
        ? Content.of(new String(System.in.readAllBytes(), StandardCharsets.UTF_8))
        : PolicyFolder.read(Path.of(name));
  }

  private static void printGood(
      PrintWriter out, String file, List<NodePolicy> policies, List<String> refusals) {
    if (refusals.stream().anyMatch(each -> each.startsWith(file + ": "))) {
      return;
    }
    out.println(
        file
            + ": "
            + (policies.isEmpty()
                ? "no policy"
                : policies.stream()
                    .map(each -> each.name() + ", " + each.tokenRate().text())
                    .collect(Collectors.joining("; ", "valid: ", ""))));
  }
}

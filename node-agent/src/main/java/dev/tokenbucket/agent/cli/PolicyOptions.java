// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.host.CommandFailure;
import dev.tokenbucket.agent.host.CommandFailure.Exit;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.source.InForce;
import dev.tokenbucket.agent.source.PolicyFileParser;
import dev.tokenbucket.agent.source.PolicyFileParser.Taker;
import dev.tokenbucket.agent.source.PolicyFiles;
import dev.tokenbucket.agent.source.PolicyFiles.Merged;
import dev.tokenbucket.agent.source.PolicyFiles.Parsed;
import dev.tokenbucket.agent.source.PolicyFolder;
import dev.tokenbucket.api.v1alpha1.AddressSets;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** The policies that a command should try: from files, or those that the agent has in force. */
public final class PolicyOptions {
  @Option(
      names = "--policy",
      paramLabel = "FILE",
      description =
          "A file of policies, or a folder of such files; may be given several times"
              + " (default: the policies that this host's agent has in force).")
  private List<Path> files = List.of();

  /** Whether the options name policies, which need not be in force. */
  boolean areGiven() {
    return !files.isEmpty();
  }

  /** The policies to try, with the failsafes of this host. */
  InForce read(HostOptions host) throws IOException {
    if (areGiven()) {
      FailsafeSettings failsafes =
          InForce.read(host.stateDir).map(InForce::failsafes).orElse(FailsafeSettings.LINK_ONLY);
      return new InForce(given(), failsafes);
    }
    return InForce.read(host.stateDir)
        .orElseThrow(
            () ->
                new CommandFailure(
                    Exit.FAILED,
                    ("--state-dir %s: no agent has put policies in force with this folder; name"
                                + " policies with --policy")
                            .formatted(host.stateDir)
                        + " FILE, or name the folder that the agent uses"));
  }

  private List<NodePolicy> given() throws IOException {
    PolicyFileParser parser = new PolicyFileParser(Taker.CLUSTER);
    TreeMap<String, Parsed> parsed = new TreeMap<>();
    for (Path file : all()) {
      parsed.put(file.toString(), parser.parse(PolicyFolder.read(file), Map.of()));
    }
    Merged merged = new PolicyFiles(new TreeMap<>()).merge(parsed);
    if (!merged.refusals().isEmpty()) {
      throw new CommandFailure(Exit.FAILED, String.join("\n", merged.refusals()));
    }
    List<NodePolicy> policies =
        merged.files().good().values().stream().flatMap(List::stream).toList();
    policies.forEach(PolicyOptions::requireNetworks);
    return policies;
  }

  private static void requireNetworks(NodePolicy policy) {
    Set<String> names = AddressSets.names(policy);
    if (!names.isEmpty()) {
      throw new CommandFailure(
          Exit.FAILED,
          ("policy \"%s\" names address sets (%s) that its file does not hold; add each"
                  + " TokenBucketAddressSet to the file as another document")
              .formatted(policy.name(), String.join(", ", names)));
    }
  }

  private List<Path> all() throws IOException {
    List<Path> all = new ArrayList<>();
    for (Path each : files) {
      if (Files.isDirectory(each)) {
        try (Stream<Path> inside = Files.list(each)) {
          inside.filter(PolicyFolder::isPolicyFile).sorted().forEach(all::add);
        }
      } else {
        all.add(each);
      }
    }
    return all;
  }
}

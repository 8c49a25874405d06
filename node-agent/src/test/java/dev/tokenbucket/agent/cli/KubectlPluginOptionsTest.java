// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.TokenBucketCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/**
 * {@code kubectl tokenbucket} tells names of nodes from values of options, and so has to know which
 * options take none.
 */
class KubectlPluginOptionsTest {
  private static final Path PLUGIN = Path.of("../bin/kubectl-tokenbucket");

  /** The options that the plugin itself handles. */
  private static final List<String> ITS_OWN = List.of("-h", "--help", "--json");

  @ParameterizedTest
  @ValueSource(strings = {"status", "top", "explain", "observe", "check"})
  void itKnowsTheOptionsWithoutAValue(String command) throws IOException {
    CommandLine each =
        Objects.requireNonNull(
            new CommandLine(TokenBucketCommand.class).getSubcommands().get(command));
    List<String> flags =
        each.getCommandSpec().options().stream()
            .filter(option -> option.arity().min() == 0)
            .flatMap(KubectlPluginOptionsTest::names)
            .filter(name -> !ITS_OWN.contains(name))
            .toList();
    assertThat(flagsOfThePlugin()).containsAll(flags);
  }

  private static Stream<String> names(OptionSpec option) {
    return Stream.of(option.names());
  }

  /** The alternatives of the script's branch that passes an option on alone. */
  private static List<String> flagsOfThePlugin() throws IOException {
    String branch =
        Files.readAllLines(PLUGIN).stream()
            .filter(line -> line.contains("-*=*) set -- \"$@\" \"$argument\" ;;"))
            .findFirst()
            .orElseThrow();
    return Arrays.stream(branch.substring(0, branch.indexOf(')')).split("\\|", -1))
        .map(each -> each.strip().replace("*", ""))
        .toList();
  }
}

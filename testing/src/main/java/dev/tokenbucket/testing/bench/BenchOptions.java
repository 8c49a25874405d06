// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of both processes of a run. */
final class BenchOptions {
  private static final int MAX_ROUNDS = 1_000;
  private static final int MAX_MILLIS = 10_000;

  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec spec;

  /** The parts of the bench. */
  enum Part {
    MICRO,
    END_TO_END
  }

  @Option(
      names = "--parts",
      split = ",",
      defaultValue = "MICRO,END_TO_END",
      description = "What is measured: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  Set<Part> parts = Set.of();

  @Option(
      names = "--rounds",
      defaultValue = "21",
      description = "How often each program is measured, 1 to 1000 (default: ${DEFAULT-VALUE}).")
  int rounds;

  @Option(
      names = "--millis",
      defaultValue = "200",
      description =
          "How long a program runs in a round, about, 1 to 10000 (default: ${DEFAULT-VALUE}).")
  long millis;

  @Option(
      names = "--json",
      defaultValue = "target/bench/results.json",
      description = "Where the results go (default: ${DEFAULT-VALUE}).")
  Path json = Path.of("");

  @Option(
      names = "--page",
      description =
          "A Markdown page; what is between its marker lines <!-- bench: begin --> and <!-- bench:"
              + " end --> is replaced by the tables.")
  @Nullable Path page;

  Duration each() {
    return Duration.ofMillis(millis);
  }

  void check() {
    check("--rounds", rounds, MAX_ROUNDS);
    check("--millis", millis, MAX_MILLIS);
  }

  private void check(String option, long value, long most) {
    if (value < 1 || value > most) {
      throw new ParameterException(
          java.util.Objects.requireNonNull(spec).commandLine(),
          option + " must be from 1 to " + most + ", not " + value);
    }
  }
}

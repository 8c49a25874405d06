// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs commands that end by themselves. */
public final class Commands {
  private static final long TIMEOUT_SECONDS = 60;

  private Commands() {}

  /**
   * Runs a command to its end.
   *
   * @return its standard output and error
   * @throws StepFailedException if the command fails or takes longer than a minute
   */
  public static String run(List<String> command) {
    return runWithInput("", command);
  }

  /** As {@link #run(List)}, with this text as standard input. */
  public static String runWithInput(String input, List<String> command) {
    Outcome outcome = end(input, command);
    if (outcome.code() != 0) {
      throw new StepFailedException(
          String.join(" ", command) + ": " + outcome.output().strip(), null);
    }
    return outcome.output();
  }

  /**
   * The outcome of a command.
   *
   * @param code its exit code
   * @param output its standard output and error
   */
  public record Outcome(int code, String output) {}

  /** Runs a command to its end and accepts any exit code. */
  public static Outcome end(List<String> command) {
    return end("", command);
  }

  private static Outcome end(String input, List<String> command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      try (OutputStream stdin = process.getOutputStream()) {
        stdin.write(input.getBytes(StandardCharsets.UTF_8));
      }
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new StepFailedException(
            String.join(" ", command) + " did not end within " + TIMEOUT_SECONDS + " s", null);
      }
      return new Outcome(process.exitValue(), output);
    } catch (IOException e) {
      throw new StepFailedException(String.join(" ", command) + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StepFailedException("interrupted in " + String.join(" ", command), e);
    }
  }

  /** As {@link #run(List)}. */
  public static String run(String... command) {
    return run(List.of(command));
  }

  /** Runs a command whose failure does not matter, as in cleaning up. */
  public static void tryRun(String... command) {
    try {
      run(command);
    } catch (StepFailedException ignored) {
      // The object to remove does not exist.
    }
  }

  /** The repository's root: the nearest enclosing folder that holds {@code bin/tb}. */
  public static Path repository() {
    for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
      if (folder.resolve("bin/tb").toFile().canExecute()) {
        return folder;
      }
    }
    throw new StepFailedException("run it inside the repository: no bin/tb above", null);
  }
}

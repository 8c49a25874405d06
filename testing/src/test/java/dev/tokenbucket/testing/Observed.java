// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A running {@code tb observe}, and what it has printed so far. */
final class Observed implements AutoCloseable {
  private static final Duration LONGEST = Duration.ofSeconds(60);

  private final Process process;
  private final Path errors;
  private final List<String> lines = new CopyOnWriteArrayList<>();
  private final Thread reader;

  Observed(List<String> command, Path work) throws IOException {
    errors = Files.createTempFile(work, "observe", ".log");
    process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
    reader = new Thread(this::read, "observed");
    reader.start();
  }

  private void read() {
    try (BufferedReader out = process.inputReader()) {
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        lines.add(line);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  boolean isRunning() {
    return process.isAlive();
  }

  List<String> lines() {
    return List.copyOf(lines);
  }

  /** The lines as JSON. */
  List<JsonNode> objects() {
    return lines().stream().map(Observed::json).toList();
  }

  private static JsonNode json(String line) {
    try {
      return new ObjectMapper().readTree(line);
    } catch (IOException e) {
      throw new UncheckedIOException(line, e);
    }
  }

  String errors() throws IOException {
    return Files.readString(errors);
  }

  /** Something that happens again until what is awaited has come. */
  @FunctionalInterface
  interface Step {
    void run() throws Exception;
  }

  /** A condition that reads. */
  @FunctionalInterface
  interface Condition {
    boolean holds() throws Exception;
  }

  /** Waits, and does the step before each look. */
  void await(String what, Condition condition, Step step) throws Exception {
    long begin = System.nanoTime();
    do {
      if (System.nanoTime() - begin > LONGEST.toNanos()) {
        throw new AssertionError(what + " did not come: " + lines() + errors());
      }
      step.run();
      Daemon.pause(Duration.ofMillis(100));
    } while (!condition.holds());
  }

  /** Sends SIGTERM, and waits for the end. Process.destroy() would also close the output. */
  void interrupt() throws InterruptedException {
    process.toHandle().destroy();
    end();
  }

  void kill() throws InterruptedException {
    process.toHandle().destroyForcibly();
    end();
  }

  /** Waits for the end; returns the exit code. */
  int end() throws InterruptedException {
    int code = process.waitFor();
    reader.join();
    return code;
  }

  @Override
  public void close() throws InterruptedException {
    kill();
  }
}

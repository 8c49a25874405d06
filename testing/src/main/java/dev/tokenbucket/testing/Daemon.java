// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** A process that runs until it is closed, with its output in a log file. */
public final class Daemon implements AutoCloseable {
  private static final long END_SECONDS = 15;
  private static final int TAIL_LINES = 5;

  /** Whether a process outlives the Java process that started it. */
  public enum Lifetime {
    /**
     * The process ends with its parent, even if the parent is killed: the shell around the process
     * reads the parent's pipe.
     */
    WITH_PARENT,
    /** The process runs until somebody ends it. */
    DETACHED
  }

  private static final String END_WITH_STDIN =
      """
      exec 3<&0
      "$@" </dev/null 3<&- &
      child=$!
      { read -r _ <&3; kill "$child" 2>/dev/null; } &
      reader=$!
      wait "$child"; status=$?
      kill "$reader" 2>/dev/null
      exit "$status"
      """;

  private final String name;
  private final Path log;
  private final int logStart;
  private final Process process;
  private final Lifetime lifetime;

  private Daemon(String name, Path log, int logStart, Process process, Lifetime lifetime) {
    this.name = name;
    this.log = log;
    this.logStart = logStart;
    this.process = process;
    this.lifetime = lifetime;
  }

  /** Starts a process; its output is appended to {@code log}. */
  public static Daemon start(
      String name,
      List<String> command,
      Map<String, String> environment,
      Path log,
      Lifetime lifetime) {
    List<String> wrapped = new ArrayList<>();
    if (lifetime == Lifetime.WITH_PARENT) {
      wrapped.addAll(List.of("sh", "-c", END_WITH_STDIN, "sh"));
    } else {
      wrapped.addAll(List.of("setsid"));
    }
    wrapped.addAll(command);
    ProcessBuilder builder =
        new ProcessBuilder(wrapped)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().putAll(environment);
    if (lifetime == Lifetime.DETACHED) {
      builder.redirectInput(new java.io.File("/dev/null"));
    }
    try {
      int logStart = Files.exists(log) ? Files.readString(log).length() : 0;
      return new Daemon(name, log, logStart, builder.start(), lifetime);
    } catch (IOException e) {
      throw new StepFailedException("starting " + name + ": " + e.getMessage(), e);
    }
  }

  /** The process id of the command itself, not of the shell around it. */
  public long pid() {
    return lifetime == Lifetime.DETACHED
        ? process.pid()
        : process
            .children()
            .mapToLong(ProcessHandle::pid)
            .min()
            .orElseThrow(() -> new StepFailedException(name + " has ended", null));
  }

  /** Whether the process runs. */
  public boolean isAlive() {
    return process.isAlive();
  }

  /** This process's output, without that of earlier processes in the same file. */
  public String log() {
    try {
      return Files.exists(log) ? Files.readString(log).substring(logStart) : "";
    } catch (IOException e) {
      throw new StepFailedException("reading " + log, e);
    }
  }

  /** Waits until {@code reached}. If the process ends before, the failure names its log. */
  public void await(String what, Duration most, BooleanSupplier reached) {
    long end = System.nanoTime() + most.toNanos();
    while (!reached.getAsBoolean()) {
      if (!process.isAlive()) {
        throw new StepFailedException(
            name + " ended before " + what + "; its log is " + log + tail(), null);
      }
      if (System.nanoTime() > end) {
        throw new StepFailedException(
            name
                + ": no "
                + what
                + " within "
                + most.toSeconds()
                + " s; its log is "
                + log
                + tail(),
            null);
      }
      pause(Duration.ofMillis(20));
    }
  }

  private String tail() {
    List<String> lines = log().lines().toList();
    return ", and ends with:\n"
        + String.join("\n", lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size()));
  }

  /** Waits until the log contains a text. */
  public void awaitLog(String text, Duration most) {
    await("\"" + text + "\"", most, () -> log().contains(text));
  }

  /** Waits until the log contains a text, and ends the process if it does not get there. */
  Daemon ready(String text, Duration most) {
    try {
      awaitLog(text, most);
      return this;
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Kills the process with kill -9. */
  public void kill() {
    ProcessHandle.of(pid()).ifPresent(ProcessHandle::destroyForcibly);
    awaitEnd();
  }

  @Override
  public void close() {
    if (!process.isAlive()) {
      return;
    }
    try {
      if (lifetime == Lifetime.WITH_PARENT) {
        process.getOutputStream().close();
      } else {
        process.destroy();
      }
    } catch (IOException e) {
      process.destroy();
    }
    awaitEnd();
  }

  private void awaitEnd() {
    try {
      if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Waits.
   *
   * @throws StepFailedException if the wait is interrupted
   */
  public static void pause(Duration time) {
    try {
      Thread.sleep(time.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StepFailedException("interrupted", e);
    }
  }
}

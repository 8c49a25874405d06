// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * strace, attached to a running process. It counts system calls, makes one fail, or kills the
 * process at one. After strace has been closed, the process continues without it.
 */
final class Injection implements AutoCloseable {
  /** The calls that change the kernel's objects or the state folder. */
  static final List<String> CALLS =
      List.of(
          "bpf", "mkdir", "mkdirat", "unlink", "unlinkat", "rmdir", "rename", "renameat", "fsync");

  private static final Duration ATTACHED = Duration.ofSeconds(30);
  private static final Pattern CALL = Pattern.compile("^(\\d+) +(\\w+)\\(");

  /** bpf(2)'s commands that change the kernel's objects, or make one. */
  private static final Pattern CHANGE =
      Pattern.compile(
          "bpf\\((BPF_MAP_CREATE|BPF_MAP_UPDATE_ELEM|BPF_MAP_DELETE_ELEM|BPF_MAP_FREEZE"
              + "|BPF_PROG_LOAD|BPF_BTF_LOAD|BPF_OBJ_PIN|BPF_PROG_TEST_RUN|BPF_LINK_\\w+)\\b");

  private final Daemon strace;
  private final Path output;

  private Injection(Daemon strace, Path output) {
    this.strace = strace;
    this.output = output;
  }

  /**
   * Attaches to all threads of a process.
   *
   * @param calls names of system calls; one that the architecture has not is left out
   * @param inject as strace's option has it; empty only counts
   */
  static Injection into(long pid, Path folder, List<String> calls, String inject) {
    Path output = folder.resolve("strace.out");
    List<String> command =
        new ArrayList<>(List.of("strace", "-f", "-p", pid + "", "-o", output.toString()));
    command.addAll(
        List.of("-e", "signal=none", "-s", "0", "-e", "trace=?" + String.join(",?", calls)));
    if (!inject.isEmpty()) {
      command.addAll(List.of("-e", "inject=" + inject));
    }
    try {
      Files.deleteIfExists(output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Injection(
        Daemon.start(
                "strace of " + pid,
                command,
                Map.of(),
                folder.resolve("strace.log"),
                Daemon.Lifetime.WITH_PARENT)
            .ready("attached", ATTACHED),
        output);
  }

  /**
   * Kills the process when one of its threads makes a call for the n-th time, instead of the call.
   */
  static String killAt(String call, int n) {
    return call + ":signal=KILL:when=" + n;
  }

  /**
   * The numbers of the calls that change something, per call, as {@code when=} counts them: per
   * thread. A process that is killed at another call leaves the state after the last change.
   */
  Map<String, SortedSet<Integer>> changes() {
    Map<String, Integer> made = new HashMap<>();
    Map<String, SortedSet<Integer>> changes = new TreeMap<>();
    for (String line : lines()) {
      Matcher call = CALL.matcher(line);
      if (call.find()) {
        int number = made.merge(call.group(1) + " " + call.group(2), 1, Integer::sum);
        if (!call.group(2).equals("bpf") || CHANGE.matcher(line).find()) {
          changes.computeIfAbsent(call.group(2), any -> new TreeSet<>()).add(number);
        }
      }
    }
    return changes;
  }

  private List<String> lines() {
    try {
      return Files.readAllLines(output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    strace.close();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.program.Programmer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A host whose agent is killed or meets faults, and the agent's objects in its kernel. */
final class FaultyHost {
  /** The agent's loop looks every 2 s; a busy machine takes longer. */
  private static final Duration CONVERGED = Duration.ofSeconds(60);

  private static final Pattern FILTER = Pattern.compile("handle (\\S+).* id [0-9]+");

  /**
   * Sets that follow one another in a circle: another rate, another table, a policy that is removed
   * with its hook's program, and a new policy.
   */
  static final List<String> SETS =
      List.of(
          policy("edge", "bucket: {per: SourceIP, capacity: 100}, rate: {packetsPerSecond: 1000}")
              + policy("out", "direction: Egress, rate: {packetsPerSecond: 500}"),
          policy("edge", "bucket: {per: SourceIP, capacity: 100}, rate: {packetsPerSecond: 1200}")
              + policy(
                  "out",
                  "direction: Egress, bucket: {per: Flow, capacity: 100},"
                      + " rate: {packetsPerSecond: 500}"),
          policy("edge", "rate: {packetsPerSecond: 1200}")
              + policy(
                  "third",
                  "bucket: {per: DestinationIP, capacity: 50, onFull: EvictOldest},"
                      + " rate: {packetsPerSecond: 300}"));

  private final TestHost host;
  private final Path folder;
  private final Path policies;
  private final String[] options;
  private final Programmer programmer;
  private Daemon agent;

  /**
   * The agent's objects, without the numbers that each new program and slot gets.
   *
   * @param pins below our folder
   * @param policies by hook, with rate and kind of bucket
   * @param filters of the clsact qdisc, and that there is one
   */
  record Objects(List<String> pins, List<String> policies, List<String> filters) {}

  /** Nothing of the agent. */
  static final Objects NOTHING = new Objects(List.of(), List.of(), List.of());

  FaultyHost(TestHost host, Path folder, String... options) {
    this.host = host;
    this.folder = folder;
    this.options = options.clone();
    this.programmer = new Programmer(new LinuxKernel(), host.bpffs(), folder);
    try {
      this.policies = Files.createDirectories(folder.resolve("policies"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    this.agent = startAgent();
  }

  private static String policy(String name, String spec) {
    return HostTest.policy(name, spec);
  }

  Daemon startAgent() {
    agent = host.startAgent(policies, Daemon.Lifetime.WITH_PARENT, options);
    return agent;
  }

  Daemon agent() {
    return agent;
  }

  String name() {
    return host.name() + " " + String.join(" ", options);
  }

  /** Replaces the policies by these; an empty text stands for none. */
  void write(String yaml) {
    Path partial = folder.resolve("policies.partial");
    Path file = policies.resolve("policies.yaml");
    try {
      if (yaml.isEmpty()) {
        Files.deleteIfExists(file);
      } else {
        Files.writeString(partial, yaml);
        Files.move(partial, file, StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** strace of the agent. */
  Injection inject(List<String> calls, String inject) {
    return Injection.into(agent.pid(), folder, calls, inject);
  }

  /** Waits until the agent's objects are exactly these. */
  void awaitObjects(String when, Objects wanted) {
    Poll.until(
        name() + ", " + when + ": its pins",
        CONVERGED,
        () -> pins().equals(wanted.pins()),
        this::seen);
    Poll.until(
        name() + ", " + when + ": " + wanted,
        CONVERGED,
        () -> objects().equals(wanted),
        () -> objects() + this.seen());
  }

  private String seen() {
    String log = agent.log();
    return pins() + "; the agent said " + log.substring(Math.max(0, log.length() - 3_000));
  }

  boolean hasPins(Objects of) {
    return pins().equals(of.pins());
  }

  Objects objects() {
    return new Objects(pins(), running(), filters());
  }

  /** The output of tb status, without a process per call. */
  private List<String> running() {
    try {
      return Inside.call(host.namespace(), programmer::running).stream()
          .flatMap(
              hook ->
                  hook.policies().stream()
                      .map(
                          policy ->
                              "%s %s %s %d %s"
                                  .formatted(
                                      hook.interfaceName(),
                                      hook.direction(),
                                      policy.name(),
                                      policy.rate(),
                                      policy.per())))
          .sorted()
          .toList();
    } catch (Exception e) {
      throw new IllegalStateException("reading what runs on " + name(), e);
    }
  }

  private List<String> filters() {
    List<String> found = new ArrayList<>();
    if (tc("qdisc", "show", "dev", "eth0").contains("clsact")) {
      found.add("clsact");
      for (String side : List.of("ingress", "egress")) {
        FILTER
            .matcher(tc("filter", "show", "dev", "eth0", side))
            .results()
            .forEach(filter -> found.add(side + " " + filter.group(1)));
      }
    }
    return found;
  }

  private String tc(String... arguments) {
    List<String> command = new ArrayList<>(List.of("tc"));
    command.addAll(List.of(arguments));
    return Commands.run(host.inside(command));
  }

  private List<String> pins() {
    Path ours = host.bpffs().resolve("tokenbucket");
    if (!Files.exists(ours)) {
      return List.of();
    }
    try (Stream<Path> all = Files.walk(ours)) {
      return all.map(each -> ours.relativize(each).toString())
          .map(each -> each.replaceAll("/program-[0-9]+", "/program-N"))
          .map(each -> each.replaceAll("/slots/[0-9]+", "/slots/N"))
          .map(each -> each.replaceAll("/[a-z]+(-[0-9]+)/qdisc", "/any$1/qdisc"))
          .sorted()
          .toList();
    } catch (IOException | UncheckedIOException e) {
      // The folder changes while it is read.
      return List.of(String.valueOf(e.getMessage()));
    }
  }

  /** The objects of each set, applied to an empty host. The host is empty again at the end. */
  List<Objects> references() {
    List<Objects> references = new ArrayList<>();
    for (int i = 0; i < SETS.size(); i++) {
      int hooks = i == 2 ? 1 : 2;
      write(SETS.get(i));
      Poll.until(
          "set " + i + " of " + name(),
          CONVERGED,
          () -> running().size() == 2 && hooksOf(running()) == hooks);
      references.add(objects());
      write("");
      awaitObjects("set %d removed".formatted(i), NOTHING);
    }
    return List.copyOf(references);
  }

  private static long hooksOf(List<String> running) {
    return running.stream()
        .map(policy -> policy.substring(0, policy.indexOf(' ', 5)))
        .distinct()
        .count();
  }

  /** Puts a set in force, whatever was in force before. */
  void settle(int set, List<Objects> references) {
    write(SETS.get(set));
    awaitObjects("set " + set, references.get(set));
  }

  /**
   * The calls at which it matters whether they are made, by call, that the agent makes while this
   * set follows on the one before it: numbered as strace numbers them, by thread.
   */
  Map<String, SortedSet<Integer>> changesOf(int set, List<String> calls, List<Objects> references) {
    settle(Math.floorMod(set - 1, SETS.size()), references);
    try (Injection watching = inject(calls, "")) {
      settle(set, references);
      return watching.changes();
    }
  }
}

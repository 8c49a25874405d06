// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A host: a network namespace with its own BPF file system and, once started, an agent. */
public final class TestHost implements AutoCloseable {
  /** The exit code of {@code tb status} if no hook has a program of this layout. */
  public static final int NO_HOOK = 3;

  private static final Duration AGENT_READY = Duration.ofSeconds(60);

  private final int number;
  private final String namespace;
  private final Path folder;

  /** The command in front of each {@code tb}. */
  private final List<String> starter;

  /** The folder that holds {@code bin/tb}. */
  private final Path checkout;

  TestHost(int number, String namespace, Path folder) {
    this(number, namespace, folder, List.of(), Commands.repository());
  }

  private TestHost(int number, String namespace, Path folder, List<String> starter, Path checkout) {
    this.number = number;
    this.namespace = namespace;
    this.folder = folder;
    this.starter = starter;
    this.checkout = checkout;
  }

  /** The same host, with the {@code tb} of another checkout. */
  TestHost ofCheckout(Path other) {
    return new TestHost(number, namespace, folder, starter, other);
  }

  /**
   * The same host, with {@code tb} running as root with only these capabilities.
   *
   * @param capabilities in lower case, without {@code cap_}
   */
  TestHost withCapabilities(String... capabilities) {
    String bounding = "-all,+" + String.join(",+", capabilities);
    return new TestHost(
        number,
        namespace,
        folder,
        List.of("setpriv", "--bounding-set", bounding, "--inh-caps", "-all"),
        checkout);
  }

  /** The name of its Node. */
  public String name() {
    return "node-" + number;
  }

  public String address() {
    return "10.88." + number + ".1";
  }

  public String address6() {
    return "fd88:" + number + "::1";
  }

  /** An address of the traffic source in this host's network. */
  public String source(int last) {
    return "10.88." + number + "." + last;
  }

  String namespace() {
    return namespace;
  }

  public Path bpffs() {
    return folder.resolve("bpf");
  }

  /** The file with the agent's output. */
  public Path agentLog() {
    return folder.resolve("agent.log");
  }

  void mountBpffs() {
    try {
      Files.createDirectories(bpffs());
    } catch (IOException e) {
      throw new StepFailedException("making " + bpffs(), e);
    }
    Commands.run("mount", "-t", "bpf", "bpf", bpffs().toString());
  }

  /** A command that runs on this host. */
  public List<String> inside(List<String> command) {
    return TestNetwork.in(namespace, command);
  }

  /** {@code bin/tb} on this host, with its folders. */
  public List<String> tb(String... arguments) {
    List<String> command = new ArrayList<>(starter);
    command.add(checkout.resolve("bin/tb").toString());
    command.addAll(List.of(arguments));
    command.addAll(
        List.of("--bpffs", bpffs().toString(), "--state-dir", folder.resolve("state").toString()));
    return inside(command);
  }

  /** Starts the agent on policy files with further options, and waits until it is ready. */
  public Daemon startAgent(Path policies, Daemon.Lifetime lifetime, String... options) {
    List<String> arguments = new ArrayList<>(List.of("--policies", policies.toString()));
    arguments.addAll(List.of(options));
    return startAgent(lifetime, arguments);
  }

  /**
   * Makes a port of the outer loopback interface reachable on this host's own loopback interface.
   *
   * @param socket the socket of a relay to that port
   */
  Daemon relay(int port, Path socket, Daemon.Lifetime lifetime) {
    return Daemon.start(
        "the relay of " + name(),
        inside(
            List.of(
                "socat",
                "TCP-LISTEN:" + port + ",bind=127.0.0.1,fork,reuseaddr",
                "UNIX-CONNECT:" + socket)),
        Map.of(),
        folder.resolve("relay.log"),
        lifetime);
  }

  /** Starts the agent as this host's node in a cluster, and waits until it is ready. */
  public Daemon startClusterAgent(Path kubeconfig, Daemon.Lifetime lifetime) {
    return startAgent(
        lifetime, List.of("--kubeconfig", kubeconfig.toString(), "--node-name", name()));
  }

  private Daemon startAgent(Daemon.Lifetime lifetime, List<String> options) {
    List<String> arguments = new ArrayList<>(List.of("agent"));
    arguments.addAll(options);
    try {
      Files.deleteIfExists(agentLog());
    } catch (IOException e) {
      throw new StepFailedException("deleting " + agentLog(), e);
    }
    return Daemon.start(
            "the agent of " + name(),
            tb(arguments.toArray(String[]::new)),
            Map.of(),
            agentLog(),
            lifetime)
        .ready("agent ready", AGENT_READY);
  }

  /** The output of {@code tb status --json}. */
  public JsonNode status() {
    String json = statusText("--json");
    try {
      return new ObjectMapper().readTree(json);
    } catch (JsonProcessingException e) {
      throw new StepFailedException("tb status --json printed " + json, e);
    }
  }

  /** The output of {@code tb status}, including the case that no hook has a program. */
  public String statusText(String... options) {
    List<String> arguments = new ArrayList<>(List.of("status"));
    arguments.addAll(List.of(options));
    Commands.Outcome outcome = Commands.end(tb(arguments.toArray(String[]::new)));
    if (outcome.code() != 0 && outcome.code() != NO_HOOK) {
      throw new StepFailedException("tb status: " + outcome.output().strip(), null);
    }
    return outcome.output();
  }

  /**
   * A policy's entry in {@code tb status}, from the first hook that runs it; a missing node if none
   * does.
   */
  public JsonNode policy(String name) {
    for (JsonNode hook : status().path("hooks")) {
      for (JsonNode policy : hook.path("policies")) {
        if (policy.path("name").asText().equals(name)) {
          return policy;
        }
      }
    }
    return new ObjectMapper().missingNode();
  }

  @Override
  public void close() {
    Commands.tryRun(tb("cleanup").toArray(String[]::new));
    Commands.tryRun("ip", "netns", "del", namespace);
    Commands.tryRun("umount", bpffs().toString());
  }
}

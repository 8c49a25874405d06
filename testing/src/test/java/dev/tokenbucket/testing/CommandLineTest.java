// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.tokenbucket.testing.Commands.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The output and exit codes of {@code tb}'s commands, on a separate host. */
@ExtendWith(RequiresRoot.class)
class CommandLineTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String POLICY =
      """
      apiVersion: tokenbucket.dev/v1alpha1
      kind: TokenBucketPolicy
      metadata: {name: %s}
      spec:
        rate: {bitsPerSecond: %s}
      """;

  @TempDir Path work;
  private Path policies;
  private TestNetwork network;
  private TestHost host;

  @BeforeEach
  void makeAHost() throws IOException {
    policies = Files.createDirectory(work.resolve("policies"));
    network = TestNetwork.of(1, work);
    host = network.hosts().get(0);
  }

  @AfterEach
  void removeIt() {
    network.close();
  }

  private Outcome tb(String... arguments) {
    return Commands.end(host.tb(arguments));
  }

  private static Outcome plainTb(String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Commands.repository().resolve("bin/tb").toString());
    command.addAll(List.of(arguments));
    return Commands.end(command);
  }

  private Daemon agent(String... options) throws IOException {
    Files.writeString(policies.resolve("p.yaml"), POLICY.formatted("p", "2M"));
    Daemon agent = host.startAgent(policies, Daemon.Lifetime.WITH_PARENT, options);
    Poll.until("the policy in force", () -> host.status().path("hooks").size() == 1);
    return agent;
  }

  @Test
  void statusSaysByItsExitCodeThatNoHookHasAProgram() {
    Outcome none = tb("status");
    assertThat(none.output()).contains("no hook on this host runs a Tokenbucket program");
    assertThat(none.code()).isEqualTo(3);
  }

  @Test
  void statusTellsAFolderThatIsOnNoBpfFileSystem() {
    Outcome wrong = plainTb("status", "--bpffs", work.toString());
    assertThat(wrong.output())
        .contains("--bpffs " + work + " is not on a BPF file system; name the folder");
    assertThat(wrong.code()).isEqualTo(6);
  }

  @ParameterizedTest
  @ValueSource(strings = {"status", "cleanup"})
  void whatIsNotPermittedSaysWhichCapabilityIsMissing(String command) {
    Outcome refused =
        Commands.end(
            List.of(
                "setpriv",
                "--bounding-set=-bpf",
                "--inh-caps=-bpf",
                "--",
                Commands.repository().resolve("bin/tb").toString(),
                command,
                "--bpffs",
                host.bpffs().toString()));
    assertThat(refused.output()).contains("CAP_BPF is missing: run as root");
    assertThat(refused.code()).isEqualTo(5);
  }

  @Test
  void statusHasEachFormatAndWatches() throws IOException {
    try (Daemon agent = agent()) {
      assertThat(agent.isAlive()).isTrue();
      Outcome json = tb("status", "-o", "json");
      JsonNode status = JSON.readTree(json.output());
      assertThat(status.path("schema").asText()).isEqualTo("tokenbucket.dev/status/v1");
      assertThat(status.at("/hooks/0/policies/0/rate").asLong()).isEqualTo(2_000_000);
      assertThat(json.code()).isZero();
      JsonNode yaml = new YAMLMapper().readTree(tb("status", "--output=yaml").output());
      assertThat(yaml.path("hooks").findValues("rate"))
          .isEqualTo(status.path("hooks").findValues("rate"));
      assertThat(yaml.fieldNames()).toIterable().containsExactlyElementsOf(status::fieldNames);
      assertThat(tb("status").output())
          .containsPattern(
              "eth0 +TCX Ingress +[0-9]+ +p +1 +2 Mbit/s +[0-9]+ bytes +[0-9]+ +[0-9]+ *\n");
      assertThat(tb("status", "-o", "wide").output())
          .containsPattern("EXCEED +PER +ACTION +MODE +CONFORM BYTES +EXCEED BYTES *\n")
          .containsPattern(" +Node +Drop +Enforce +[0-9]+ +[0-9]+ *\n");
      List<String> watch = new ArrayList<>(List.of("timeout", "8"));
      watch.addAll(host.tb("status", "--watch=1"));
      assertThat(Commands.end(watch).output().split("INTERFACE", -1)).hasSizeGreaterThan(2);
      assertThat(tb("status", "--watch=0").output())
          .contains("must be a number of seconds, at least 1");
    }
  }

  @Test
  void cleanupRemovesNothingWhileAnAgentRunsAndSaysBeforeWhatItWould() throws IOException {
    try (Daemon agent = agent()) {
      Outcome refused = tb("cleanup");
      assertThat(refused.output()).contains("another agent runs with --bpffs " + host.bpffs());
      assertThat(refused.code()).isEqualTo(7);
      Outcome otherState =
          plainTb(
              "cleanup",
              "--bpffs",
              host.bpffs().toString(),
              "--state-dir",
              work.resolve("other").toString());
      assertThat(otherState.code()).as("of another state folder").isEqualTo(7);
      Outcome dry = tb("cleanup", "--dry-run");
      assertThat(dry.output())
          .containsPattern("would detach program [0-9]+ from eth0 TCX Ingress: p\n")
          .contains("would remove every map and pin under " + host.bpffs() + "/tokenbucket\n")
          .contains("/last-good.json\n");
      assertThat(dry.code()).isZero();
      assertThat(host.status().path("hooks")).hasSize(1);
      assertThat(agent.isAlive()).isTrue();
    }
    Outcome done = tb("cleanup", "--wait-for-agent=10");
    assertThat(done.code()).as(done.output()).isZero();
    assertThat(host.bpffs().resolve("tokenbucket")).doesNotExist();
    assertThat(tb("cleanup", "--dry-run").output()).isEmpty();
  }

  /** The state folders differ, so only the pins show one agent to the other. */
  @Test
  void aSecondAgentOnTheSamePinsIsRefused() throws IOException {
    try (Daemon agent = agent()) {
      List<String> second = new ArrayList<>();
      second.add(Commands.repository().resolve("bin/tb").toString());
      second.addAll(
          List.of(
              "agent",
              "--policies",
              policies.toString(),
              "--bpffs",
              host.bpffs().toString(),
              "--state-dir",
              work.resolve("second").toString()));
      Outcome refused = Commands.end(host.inside(second));
      assertThat(refused.output())
          .contains("another agent runs with --bpffs " + host.bpffs() + "; stop that agent first");
      assertThat(refused.code()).isEqualTo(7);
      assertThat(agent.isAlive()).isTrue();
    }
  }

  @Test
  void anAgentLogsAsAskedAndSaysThatNothingIsDetachedWhenItEnds() throws IOException {
    Daemon agent = agent("--log-format=json");
    long program = host.status().at("/hooks/0/programId").asLong();
    agent.close();
    List<String> lines = agent.log().lines().toList();
    for (String line : lines) {
      assertThat(JSON.readTree(line).path("level").asText()).as(line).isNotEmpty();
    }
    assertThat(lines)
        .allMatch(line -> line.contains("\"loggerName\":\"dev.tokenbucket."))
        .anyMatch(line -> line.contains("{\"policy\":\"") && line.contains("{\"rate\":\""))
        .anyMatch(line -> line.contains("{\"interface\":\"") && line.contains("attached to"));
    assertThat(lines.get(lines.size() - 1)).contains("what the kernel runs stays in force");
    assertThat(host.status().at("/hooks/0/programId").asLong()).isEqualTo(program);
  }

  @Test
  void checkFindsThatThisHostIsSupported() throws IOException {
    Outcome text = tb("check");
    assertThat(text.output()).containsPattern("(?m)^hook +supported +TCX$");
    assertThat(text.code()).as(text.output()).isZero();
    List<String> json = new ArrayList<>(host.tb("check", "-o", "json"));
    JsonNode report = JSON.readTree(Commands.run(json));
    assertThat(report.path("supported").asBoolean()).isTrue();
    assertThat(report.path("checks").findValuesAsText("name"))
        .containsExactly("kernel", "BTF", "bpffs", "capabilities", "hook", "JIT", "classifier");
  }

  @Test
  void checkNamesWhatIsMissingAndFails() {
    Outcome missing =
        Commands.end(
            List.of(
                "setpriv",
                "--bounding-set=-sys_admin",
                "--inh-caps=-sys_admin",
                "--",
                Commands.repository().resolve("bin/tb").toString(),
                "check",
                "--bpffs",
                work.toString()));
    assertThat(missing.output())
        .containsPattern(
            "(?m)^bpffs +unsupported +" + work + " is not on a BPF file system: mount");
    assertThat(missing.code()).isEqualTo(1);
  }

  @Test
  void validateJudgesAsTheApiServerDoes() throws IOException {
    Path good = Files.writeString(work.resolve("good.yaml"), POLICY.formatted("a", "12500k"));
    Path wrong = Files.writeString(work.resolve("wrong.yaml"), POLICY.formatted("b", "1000m"));
    Path labels =
        Files.writeString(
            work.resolve("labels.yaml"),
            POLICY.formatted("c", "1M") + "  nodeSelector: {matchLabels: {pool: edge}}\n");

    Outcome accepted = plainTb("validate", good.toString(), labels.toString());
    assertThat(accepted.output())
        .contains(good + ": valid: a, 12.5 Mbit/s")
        .contains(labels + ": valid: c, 1 Mbit/s");
    assertThat(accepted.code()).isZero();

    Outcome refused = plainTb("validate", wrong.toString(), good.toString());
    assertThat(refused.output()).contains(wrong + ": spec.rate").contains(good + ": valid: a");
    assertThat(refused.code()).isEqualTo(1);

    Outcome onAHost = plainTb("validate", "--for-host", labels.toString());
    assertThat(onAHost.output()).contains("spec.nodeSelector: Forbidden");
    assertThat(onAHost.code()).isEqualTo(1);

    Outcome missing = plainTb("validate", work.resolve("none.yaml").toString());
    assertThat(missing.output()).contains("none.yaml: can't be read");
    assertThat(missing.code()).isEqualTo(1);
    assertThat(plainTb("validate").code()).isEqualTo(2);
  }

  @Test
  void theLogLevelOfTheAgentThatRunsIsChanged() throws IOException {
    try (Daemon agent = agent()) {
      assertThat(tb("log-level", "debug").code()).isZero();
      Poll.until("the agent takes it", () -> agent.log().contains("the log level is DEBUG"));
      assertThat(tb("log-level", "loud").code()).isEqualTo(2);
    }
    try (Daemon next = agent()) {
      assertThat(next.log()).doesNotContain("the log level is DEBUG");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "agent",
    "status",
    "check",
    "validate",
    "cleanup",
    "log-level",
    "completion",
    "explain",
    "replay",
    "suggest",
    "top"
  })
  void everyCommandHelps(String command) {
    Outcome help = plainTb(command, "--help");
    assertThat(help.output()).startsWith("Usage: tb " + command);
    assertThat(help.code()).isZero();
  }

  @Test
  void completionIsAScriptThatBashTakes() throws IOException {
    Path script = Files.writeString(work.resolve("tb.bash"), plainTb("completion").output());
    assertThat(Commands.run("bash", "-c", "source " + script + "; complete -p tb; echo $? cleanup"))
        .contains("tb")
        .contains("0 cleanup");
    assertThat(Files.readString(script)).contains("--dry-run", "--watch", "--write-dropped");
  }

  @Test
  void anUnknownCommandIsTold() {
    Outcome unknown = plainTb("stauts");
    assertThat(unknown.output()).contains("Unmatched argument").contains("status");
    assertThat(unknown.code()).isEqualTo(2);
  }
}

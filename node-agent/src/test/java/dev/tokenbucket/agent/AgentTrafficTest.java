package dev.tokenbucket.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The agent as a process, in a network namespace, under real packets. Needs root. */
class AgentTrafficTest {
  private static final String ADDRESS = "10.88.0.1";
  private static final int RATE = 1000;
  private static final int BURST = 100;

  private final String source = "tb-ts-" + ProcessHandle.current().pid();
  private final String node = "tb-tn-" + ProcessHandle.current().pid();
  private final List<Process> started = new ArrayList<>();
  @TempDir Path work = Path.of("");
  private Path policies = Path.of("");

  @BeforeEach
  void makeTwoHostsAndStartTheAgent() throws Exception {
    boolean able = System.getProperty("user.name", "").equals("root");
    assertThat(able || System.getenv("CI") == null).as("CI must run as root").isTrue();
    assumeTrue(able, "needs root: BPF and network namespaces");
    policies = Files.createDirectory(work.resolve("policies"));
    Files.createDirectory(work.resolve("bpf"));
    run("mount", "-t", "bpf", "bpf", work.resolve("bpf").toString());
    run("ip", "netns", "add", source);
    run("ip", "netns", "add", node);
    run(
        "ip", "link", "add", "tb0", "netns", source, "type", "veth", "peer", "name", "eth0",
        "netns", node);
    run("ip", "-n", source, "addr", "add", "10.88.0.2/24", "dev", "tb0");
    run("ip", "-n", node, "addr", "add", ADDRESS + "/24", "dev", "eth0");
    run("ip", "-n", source, "link", "set", "tb0", "up");
    run("ip", "-n", node, "link", "set", "eth0", "up");
    startAgent();
  }

  @AfterEach
  void removeTheHosts() throws Exception {
    started.forEach(Process::destroyForcibly);
    for (List<String> command :
        List.of(
            List.of("ip", "netns", "del", source),
            List.of("ip", "netns", "del", node),
            List.of("umount", work.resolve("bpf").toString()))) {
      new ProcessBuilder(command).redirectErrorStream(true).start().waitFor(10, TimeUnit.SECONDS);
    }
  }

  @Test
  void theLimitHoldsWhileTheAgentIsKilledAndComesBack() throws Exception {
    writePolicy(RATE);
    awaitGeneration(1);
    Process receiver = traffic(node, "receive", "5");
    Process sender = traffic(source, "send", "8");
    Thread.sleep(2_000);
    kill();
    Thread.sleep(1_000);
    startAgent();

    double arrived = rate(receiver);
    assertThat(sender.waitFor(20, TimeUnit.SECONDS)).isTrue();
    System.out.println("arrived across kill -9 and restart: " + arrived + " packets/s of " + RATE);
    assertThat(arrived * 5).isBetween(RATE * 5 * 0.98, (double) RATE * 5 + BURST + 1);
  }

  @Test
  void aChangedRateIsInForceWithinASecondAndKeepsTheCounters() throws Exception {
    writePolicy(RATE);
    awaitGeneration(1);
    Process receiver = traffic(node, "receive", "1");
    Process sender = traffic(source, "send", "3");
    assertThat(rate(receiver)).isBetween(RATE * 0.98, RATE * 1.11);
    assertThat(sender.waitFor(20, TimeUnit.SECONDS)).isTrue();
    long before = policy().path("exceedPackets").asLong();

    writePolicy(3 * RATE);
    awaitGeneration(2);
    receiver = traffic(node, "receive", "2");
    traffic(source, "send", "4");

    assertThat(rate(receiver)).isBetween(3 * RATE * 0.98, 3 * RATE * 1.03);
    assertThat(policy().path("exceedPackets").asLong()).isGreaterThan(before);
    assertThat(policy().path("rate").asInt()).isEqualTo(3 * RATE);
  }

  @Test
  void aWrongFileIsRefusedAndTheLastGoodStateStays() throws Exception {
    writePolicy(RATE);
    awaitGeneration(1);
    Files.writeString(policies.resolve("p.yaml"), text("500m"));
    await("the refusal", () -> status().path("refused").size() == 1);

    assertThat(status().path("refused").get(0).asText())
        .isEqualTo(
            "p.yaml: spec.rate.packetsPerSecond: Invalid value: \"500m\": must be a whole quantity"
                + " from 1 to 10G packets a second");
    assertThat(policy().path("rate").asInt()).isEqualTo(RATE);
  }

  @Test
  void removingTheFileLeavesNoPinAndNoHook() throws Exception {
    writePolicy(RATE);
    awaitGeneration(1);
    Files.delete(policies.resolve("p.yaml"));

    await("the hook to be free", () -> status().path("hooks").isEmpty());
    await("the pins to be gone", () -> !Files.exists(work.resolve("bpf/tokenbucket")));
    assertThat(run("nsenter", "--net=/run/netns/" + node, "bpftool", "net", "show", "dev", "eth0"))
        .doesNotContain("tokenbucket");
  }

  private void writePolicy(int rate) throws IOException {
    Files.writeString(policies.resolve("p.yaml"), text(Integer.toString(rate)));
  }

  private static String text(String rate) {
    return """
        apiVersion: tokenbucket.dev/v1alpha1
        kind: TokenBucketPolicy
        metadata:
          name: p
        spec:
          interfaces:
          - name: eth0
          rate:
            packetsPerSecond: %s
          burst:
            packets: %d
        """
        .formatted(rate, BURST);
  }

  private void startAgent() throws IOException {
    started.add(
        new ProcessBuilder(tb("agent", "--policies", policies.toString()))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(work.resolve("agent.log").toFile()))
            .start());
  }

  private void kill() throws InterruptedException {
    Process agent = started.get(0);
    agent.destroyForcibly();
    assertThat(agent.waitFor(10, TimeUnit.SECONDS)).isTrue();
  }

  private List<String> tb(String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "nsenter",
                "--net=/run/netns/" + node,
                ProcessHandle.current().info().command().orElse("java"),
                "-cp",
                System.getProperty("java.class.path"),
                TokenBucketCommand.class.getName()));
    command.addAll(List.of(arguments));
    command.addAll(List.of("--bpffs", work.resolve("bpf").toString()));
    command.addAll(List.of("--state-dir", work.resolve("state").toString()));
    return command;
  }

  private JsonNode status() throws Exception {
    return new ObjectMapper().readTree(run(tb("status", "--json").toArray(String[]::new)));
  }

  private JsonNode policy() throws Exception {
    return status().path("hooks").path(0).path("policies").path(0);
  }

  private void awaitGeneration(long generation) throws Exception {
    await("generation " + generation, () -> policy().path("generation").asLong() == generation);
  }

  private void await(String what, Callable<Boolean> reached) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!reached.call()) {
      String log = Files.readString(work.resolve("agent.log"));
      assertThat(System.nanoTime())
          .as("waiting for %s; the agent said %s", what, log)
          .isLessThan(end);
      Thread.sleep(100);
    }
  }

  private Process traffic(String namespace, String verb, String seconds) throws IOException {
    Process process =
        new ProcessBuilder(
                "nsenter",
                "--net=/run/netns/" + namespace,
                "python3",
                "../testing/traffic.py",
                verb,
                ADDRESS,
                seconds)
            .start();
    started.add(process);
    return process;
  }

  private static double rate(Process receiver) throws Exception {
    String output = new String(receiver.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(receiver.waitFor(20, TimeUnit.SECONDS)).isTrue();
    return Double.parseDouble(output.substring(0, output.indexOf(' ')));
  }

  private static String run(String... command) throws Exception {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(String.join(" ", command)).isZero();
    return output;
  }
}

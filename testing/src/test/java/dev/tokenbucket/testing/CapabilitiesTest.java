// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static dev.tokenbucket.testing.Arrivals.atMost;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The agent and its commands with no more than CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON. */
@ExtendWith(RequiresRoot.class)
class CapabilitiesTest {
  private static final int RATE = 1_000;

  /**
   * The packets of a third of a second at the highest rate. A sender that does not get a CPU sends
   * them late.
   */
  private static final int BURST = 1_000;

  private static final String THREE = String.format("%016x", 1L << 12 | 1L << 38 | 1L << 39);

  @TempDir Path work;
  private Path policies;
  private TestNetwork network;
  private TestHost host;

  @BeforeEach
  void makeAHost() throws IOException {
    policies = Files.createDirectory(work.resolve("policies"));
    network = TestNetwork.of(1, work);
    host = network.hosts().get(0).withCapabilities("bpf", "net_admin", "perfmon");
  }

  @AfterEach
  void removeIt() {
    network.close();
  }

  /** A table per source, so that there are maps in arrays of maps to be read and swept. */
  @ParameterizedTest
  @ValueSource(strings = {"", "--clsact"})
  void threeCapabilitiesAreEnoughForAllThatAnAgentDoes(String option) throws IOException {
    Daemon agent = start(option);
    try {
      assertThat(capabilities(agent)).isEqualTo(THREE);
      apply(agent, RATE, 1);
      assertLimited(RATE);
      assertThat(host.policy("p").path("exceedPackets").asLong()).isPositive();
      assertThat(host.policy("p").at("/buckets/memoryBytes").asLong()).isPositive();

      assertThat(Commands.run(host.tb("observe", "--for", "1s")))
          .contains("shown 0, suppressed 0")
          .endsWith("lost 0\n");

      apply(agent, 2 * RATE, 2);
      assertLimited(2 * RATE);
      agent.await(
          "the idle bucket to be swept",
          Duration.ofSeconds(30),
          () -> host.policy("p").at("/buckets/swept").asLong() > 0);

      long program = host.status().at("/hooks/0/programId").asLong();
      agent.kill();
      agent = start(option);
      assertThat(host.status().at("/hooks/0/programId").asLong()).isEqualTo(program);
      apply(agent, 3 * RATE, 3);
      assertLimited(3 * RATE);
    } finally {
      agent.close();
    }
    Commands.run(host.tb("cleanup"));
    assertThat(host.status().path("hooks")).isEmpty();
    assertThat(host.bpffs().resolve("tokenbucket")).doesNotExist();
    assertThat(Commands.run(host.inside(List.of("tc", "qdisc", "show", "dev", "eth0"))))
        .doesNotContain("clsact");
  }

  private Daemon start(String option) {
    return option.isEmpty()
        ? host.startAgent(policies, Daemon.Lifetime.WITH_PARENT)
        : host.startAgent(policies, Daemon.Lifetime.WITH_PARENT, option);
  }

  private static String capabilities(Daemon agent) throws IOException {
    return Files.readAllLines(Path.of("/proc/" + agent.pid() + "/status")).stream()
        .filter(line -> line.startsWith("CapEff:"))
        .map(line -> line.substring("CapEff:".length()).strip())
        .findFirst()
        .orElseThrow();
  }

  private void apply(Daemon agent, int rate, int generation) throws IOException {
    Files.writeString(
        policies.resolve("p.yaml"),
        """
        apiVersion: tokenbucket.dev/v1alpha1
        kind: TokenBucketPolicy
        metadata: {name: p}
        spec:
          bucket: {per: SourceIP}
          rate: {packetsPerSecond: %d}
          burst: {packets: %d}
        """
            .formatted(rate, BURST));
    agent.awaitLog("programmed p generation " + generation, Duration.ofSeconds(20));
    // A change lies 50 ms ahead.
    Daemon.pause(Duration.ofMillis(300));
  }

  private void assertLimited(int rate) {
    List<TrafficRun.Sender> senders = List.of(new TrafficRun.Sender(host.source(2), 5 * rate));
    try (TrafficRun run =
        TrafficRun.start(network::atSource, host::inside, host.address(), senders, 2, true)) {
      assertThat(run.result().received().perSecond())
          .isBetween(rate * 0.99, atMost(rate, BURST, 2));
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The agent is killed at any moment, or replaced by another version, while more packets are sent
 * than may pass.
 */
@ExtendWith(RequiresRoot.class)
class AgentKillFaults {
  private static final int RATE = 1_000;

  /** A refill would let through the packets of one second. */
  private static final int BURST = 1_000;

  private static final int FLOOD = 3_000;

  /**
   * The receiver learns when a packet came in. On a busy machine that is earlier or later than the
   * verdict. This margin is a tenth of a refill.
   */
  private static final double TOLERANCE = 0.1 * BURST;

  private static final int KILLS = Integer.getInteger("faults.kills", 50);

  /** The latest kill, counted from the start. By then the agent is ready and has done its work. */
  private static final int LATEST_MILLIS = 3_000;

  @TempDir Path work;
  private TestNetwork network;
  private TestHost host;
  private Path policies;
  private Path log;

  @BeforeEach
  void makeAHost() throws IOException {
    network = TestNetwork.of(1, work);
    host = network.hosts().get(0);
    policies = Files.createDirectory(work.resolve("policies"));
    log = work.resolve("agents.log");
  }

  @AfterEach
  void removeIt() {
    network.close();
  }

  /**
   * Two runs, each with half of the promised number of kills: with TCX, and with clsact filters.
   */
  @ParameterizedTest
  @ValueSource(strings = {"", "--clsact"})
  void noKillOfTheAgentRefillsABucketOrLeavesAGap(String option) throws IOException {
    write(0);
    try (Daemon first = start(host, option)) {
      first.awaitLog("programmed steady", Duration.ofSeconds(60));
      first.kill();
    }
    // The seed is printed, so that a run can be repeated.
    long seed = System.nanoTime();
    Random random = new Random(seed);
    List<Long> arrivals;
    int restarts = 0;
    long start = System.nanoTime();
    try (TrafficRun run = flood(KILLS * (LATEST_MILLIS / 1_000 + 2))) {
      Daemon.pause(Duration.ofSeconds(2));
      for (int kill = 1; kill <= KILLS; kill++) {
        write(kill);
        try (Daemon agent = start(host, option)) {
          Daemon.pause(Duration.ofMillis(random.nextInt(LATEST_MILLIS)));
          agent.kill();
          restarts++;
        }
      }
      arrivals = run.stop().arrivals();
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    judge("%d kills %s, seed %d".formatted(restarts, option, seed), arrivals, seconds);
    try (Daemon last = start(host, option)) {
      write(1);
      last.awaitLog("programmed other-1", Duration.ofSeconds(60));
      assertThat(host.policy("steady").path("rate").asInt()).isEqualTo(RATE);
    }
  }

  /** The agent of the commit before this one, built from its sources. */
  @Test
  void anUpgradeFromTheCommitBeforeLeavesNoGapAndRefillsNothing() throws Exception {
    Path before = checkoutOfTheCommitBefore();
    TestHost old = host.ofCheckout(before);
    write(0);
    List<Long> arrivals;
    long start;
    try (Daemon agent = start(old, "")) {
      agent.awaitLog("programmed steady", Duration.ofSeconds(60));
      start = System.nanoTime();
      try (TrafficRun run = flood(40)) {
        Daemon.pause(Duration.ofSeconds(3));
        agent.close();
        try (Daemon next = start(host, "")) {
          next.awaitLog("agent ready", Duration.ofSeconds(60));
          write(1);
          next.awaitLog("programmed other-1", Duration.ofSeconds(60));
          Daemon.pause(Duration.ofSeconds(2));
        }
        try (Daemon back = start(old, "")) {
          back.awaitLog("agent ready", Duration.ofSeconds(60));
          write(2);
          back.awaitLog("programmed other-2", Duration.ofSeconds(60));
          Daemon.pause(Duration.ofSeconds(2));
        }
        arrivals = run.stop().arrivals();
      }
    }
    judge("an upgrade and back", arrivals, (System.nanoTime() - start) / 1e9);
  }

  private Path checkoutOfTheCommitBefore() throws IOException, InterruptedException {
    Path repository = Commands.repository();
    Commands.Outcome archived =
        Commands.end(
            List.of(
                "sh",
                "-c",
                "git -C \"$1\" archive --output=\"$2/before.tar\" HEAD~1",
                "sh",
                repository.toString(),
                work.toString()));
    assumeTrue(
        archived.code() == 0,
        "the commit before is not in this clone, which is shallow: " + archived.output());
    Path checkout = Files.createDirectory(work.resolve("before"));
    Commands.run("tar", "-C", checkout.toString(), "-xf", work.resolve("before.tar").toString());
    Path built = work.resolve("build.log");
    Process build =
        new ProcessBuilder(
                "mvn", "-B", "-ntp", "-q", "package", "-pl", "node-agent", "-am", "-DskipTests")
            .directory(checkout.toFile())
            .redirectErrorStream(true)
            .redirectOutput(built.toFile())
            .start();
    try {
      assertThat(build.waitFor(10, TimeUnit.MINUTES)).as("the build, see " + built).isTrue();
      assertThat(build.exitValue()).as(Files.readString(built)).isZero();
    } finally {
      build.destroyForcibly();
    }
    return checkout;
  }

  private static void judge(String what, List<Long> arrivals, double seconds) {
    double worst = Arrivals.mostBeyondTheBound(arrivals, RATE, BURST);
    System.out.printf(
        "%s: %d packets in %.0f s, closest %.1f packets under B + Q*t%n",
        what, arrivals.size(), seconds, -worst);
    assertThat(worst).as(what).isLessThanOrEqualTo(TOLERANCE);
    double span = (arrivals.get(arrivals.size() - 1) - arrivals.get(0)) / 1e9;
    assertThat(arrivals.size()).as(what).isGreaterThan((int) (RATE * span * 0.95));
  }

  private TrafficRun flood(double seconds) {
    return TrafficRun.start(
        network::atSource,
        host::inside,
        host.address(),
        List.of(new TrafficRun.Sender("10.88.1.2", FLOOD)),
        seconds,
        true);
  }

  /** One policy stays and judges the packets; the other one differs each time. */
  private void write(int turn) throws IOException {
    String steady =
        HostTest.policy(
            "steady",
            "match: [{destinationPorts: [5000]}],"
                + " rate: {packetsPerSecond: %d}, burst: {packets: %d}".formatted(RATE, BURST));
    String per = turn % 2 == 0 ? "SourceIP" : "Flow";
    String other =
        HostTest.policy(
            "other-" + turn,
            "match: [{destinationPorts: [6000]}], bucket: {per: %s, capacity: 100},".formatted(per)
                + " rate: {packetsPerSecond: 100}");
    Path partial = work.resolve("policies.partial");
    Files.writeString(partial, turn % 3 == 0 ? steady : steady + other);
    Files.move(partial, policies.resolve("policies.yaml"), StandardCopyOption.REPLACE_EXISTING);
  }

  /** Does not wait until the agent is ready, because it may be killed earlier. */
  private Daemon start(TestHost on, String option) {
    List<String> command =
        new ArrayList<>(on.tb("agent", "--compile=never", "--policies", policies.toString()));
    if (!option.isEmpty()) {
      command.add(option);
    }
    return Daemon.start("the agent", command, Map.of(), log, Daemon.Lifetime.WITH_PARENT);
  }
}

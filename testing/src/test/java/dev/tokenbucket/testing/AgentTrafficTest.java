// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static dev.tokenbucket.testing.Arrivals.atMost;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The agent on a bare host, under real packets. Needs root. */
@ExtendWith(RequiresRoot.class)
class AgentTrafficTest {
  private static final int RATE = 1_000;
  private static final int BURST = 100;
  private static final int FLOOD = 8_000;

  /**
   * A part of the rate. A sender that waits for a CPU for longer than a burst lasts leaves tokens
   * unused.
   */
  private static final double LEAST = 0.9;

  @TempDir Path work;
  private Path policies;
  private TestNetwork network;
  private TestHost host;
  private Daemon agent;
  private KernelObjects before;

  @BeforeEach
  void makeAHostAndStartItsAgent() throws IOException {
    policies = Files.createDirectory(work.resolve("policies"));
    network = TestNetwork.of(1, work);
    host = network.hosts().get(0);
    before = KernelObjects.now();
    startAgent();
  }

  @AfterEach
  void removeIt() {
    agent.close();
    network.close();
  }

  @Test
  void theLimitHoldsWhileTheAgentIsKilledAndComesBack() throws IOException {
    apply("{}", RATE);
    try (TrafficRun run = flood("10.88.1.2", 5)) {
      Daemon.pause(Duration.ofSeconds(2));
      agent.kill();
      Daemon.pause(Duration.ofSeconds(1));
      startAgent();

      List<Long> arrivals = run.result().received().arrivals();
      double worst = Arrivals.mostBeyondTheBound(arrivals, RATE, BURST);
      System.out.printf(
          "kill -9 and restart under load: %d packets arrived; no interval let more through than"
              + " the bound of B + Q*t + 1 (closest: %.1f packets under it)%n",
          arrivals.size(), -worst);
      // The kernel stamps a packet before the verdict, and may be interrupted in between.
      assertThat(worst).isLessThanOrEqualTo(0.02 * RATE);
      assertThat(arrivals.size()).isGreaterThan((int) (6 * RATE * 0.98));
    }
  }

  @Test
  void anotherLayoutIsTakenOverUnderLoadForOneMoreBurst() throws IOException {
    apply("{}", RATE);
    agent.kill();
    try (TrafficRun run = flood("10.88.1.2", 8)) {
      // The state that an early agent left, whose pins were in no folder of a layout.
      Path ours = host.bpffs().resolve("tokenbucket");
      try (Stream<Path> layouts = Files.list(ours)) {
        Path layout = layouts.findFirst().orElseThrow();
        Commands.run("sh", "-c", "mv %1$s/* %2$s && rmdir %1$s".formatted(layout, ours));
      }
      startAgent();
      agent.awaitLog("took over from maps of layout 1", Duration.ofSeconds(10));

      double worst =
          Arrivals.mostBeyondTheBound(run.result().received().arrivals(), RATE, 2 * BURST);
      assertThat(worst).isLessThanOrEqualTo(0.02 * RATE);
    }
    assertThat(host.policy("p").path("exceedPackets").asLong()).isPositive();
  }

  @Test
  void aChangedRateIsInForceWithinASecondAndKeepsTheCounters() throws IOException {
    apply("{}", RATE);
    try (TrafficRun run = flood("10.88.1.2", 1)) {
      run.result();
    }
    long before = host.policy("p").path("exceedPackets").asLong();
    apply("{}", 3 * RATE);
    try (TrafficRun run = flood("10.88.1.2", 2)) {
      assertThat(run.result().received().perSecond())
          .isBetween(3 * RATE * LEAST, atMost(3 * RATE, BURST, 2));
    }
    assertThat(host.policy("p").path("exceedPackets").asLong()).isGreaterThan(before);
    assertThat(host.policy("p").path("generation").asLong()).isEqualTo(2);
  }

  @Test
  void aSourceBelowItsRateLosesNothingWhileOthersFlood() throws IOException {
    apply("{per: SourceIP}", RATE);
    List<TrafficRun.Sender> senders =
        List.of(
            new TrafficRun.Sender("10.88.1.2", FLOOD / 2),
            new TrafficRun.Sender("10.88.1.3", FLOOD / 2),
            new TrafficRun.Sender("10.88.1.4", RATE / 4));
    try (TrafficRun run =
        TrafficRun.start(network::atSource, host::inside, host.address(), senders, 3, false)) {
      TrafficRun.Result result = run.result();
      Traffic.Received arrived = result.received();
      assertThat(arrived.from("10.88.1.4").total()).isEqualTo(result.sentBy("10.88.1.4"));
      for (String flooding : List.of("10.88.1.2", "10.88.1.3")) {
        assertThat(arrived.from(flooding).inWindow() / 3.0)
            .isBetween(RATE * LEAST, atMost(RATE, BURST, 3));
      }
    }
  }

  @Test
  void anAuditedPolicyCountsAndDropsNothing() throws IOException {
    write("{}", RATE, "Audit");
    try (TrafficRun run = flood("10.88.1.2", 1)) {
      TrafficRun.Result result = run.result();
      assertThat(result.received().total()).isEqualTo(result.sentBy("10.88.1.2"));
    }
    assertThat(host.policy("p").path("exceedPackets").asLong()).isGreaterThan(RATE);
  }

  @Test
  void aWrongFileIsRefusedAndTheLastGoodStateStays() throws IOException {
    apply("{}", RATE);
    Files.writeString(policies.resolve("p.yaml"), "kind: Nonsense");
    agent.awaitLog("refused p.yaml", Duration.ofSeconds(5));

    assertThat(host.status().path("refused").get(0).asText())
        .startsWith("p.yaml: apiVersion: Unsupported value");
    assertThat(host.policy("p").path("rate").asInt()).isEqualTo(RATE);
  }

  @Test
  void framesWithTruncatedHeadersPassAndAreCountedApart() throws IOException {
    apply("{}", RATE);
    long before = host.status().path("hooks").path(0).path("notIpPackets").asLong();
    String ethernet = "ffffffffffff0200000000aa";
    for (String broken : List.of("0800" + "4500", "86dd" + "60000000000011", "0800")) {
      Commands.run(network.atSource(RawFrames.command("to-1", ethernet + broken, 20)));
    }

    // neighbour discovery and the like may add frames that are whole
    long counted = host.status().path("hooks").path(0).path("notIpPackets").asLong() - before;
    assertThat(counted).isGreaterThanOrEqualTo(60);
    assertThat(host.policy("p").path("exceedPackets").asLong()).isZero();
  }

  @Test
  void aTagBesideTheFrameCountsAsBytesOfIt() throws IOException {
    apply("{}", RATE);
    int frames = 2_000;
    long before = bytesOf("p");
    // the kernel takes the tag out of the frame before the hook
    String tagged = "ffffffffffff0200000000aa" + "81000007" + "0800" + udp(50);
    Commands.run(network.atSource(RawFrames.command("to-1", tagged, frames)));

    // neighbour discovery and the like may add a few
    assertThat(bytesOf("p") - before).isBetween(frames * 68L, frames * 68L + 4_000);
  }

  /** The kernel strips all tags, and would deliver the packet behind them. */
  @ParameterizedTest
  @ValueSource(ints = {4, 8, 12})
  void anyNumberOfPriorityTagsHidesNoPacket(int tags) throws IOException {
    apply("{per: SourceIP}", 1);
    String frame = "ffffffffffff0200000000aa" + "81000000".repeat(tags) + "0800" + udp(50);
    Commands.run(network.atSource(RawFrames.command("to-1", frame, BURST + 50)));

    assertThat(host.policy("p").path("conformPackets").asLong()).isBetween(100L, 110L);
    assertThat(host.policy("p").path("exceedPackets").asLong()).isBetween(40L, 50L);
  }

  @Test
  void aLinkWithoutEthernetHeaderIsLimitedAsOthersAre() throws IOException {
    Commands.run(
        host.inside(List.of("ip", "tuntap", "add", "dev", "tun0", "mode", "tun", "vnet_hdr")));
    Commands.run(host.inside(List.of("ip", "link", "set", "tun0", "up")));
    write(text("p", "{per: SourceIP}", 1, "Enforce") + "  interfaces: [{name: tun0}]\n");
    Commands.run(host.inside(TunPackets.command("tun0", udp(50), BURST + 20)));

    assertThat(host.policy("p").path("conformPackets").asLong()).isBetween(100L, 102L);
    assertThat(host.policy("p").path("exceedPackets").asLong()).isBetween(18L, 20L);
  }

  @Test
  void headersOutsideTheLinearPartAreReadAndRewritten() throws IOException {
    Commands.run(
        host.inside(List.of("ip", "tuntap", "add", "dev", "tun0", "mode", "tun", "vnet_hdr")));
    Commands.run(host.inside(List.of("ip", "link", "set", "tun0", "mtu", "9000", "up")));
    String rest =
        """
          interfaces: [{name: tun0}]
          match: [{protocol: UDP, destinationPorts: [%d]}]
          exceed: {action: SetDSCP, dscp: 46}
        """;
    write(text("p", "{per: Flow}", 1, "Enforce") + rest.formatted(80));
    String ports = "00070050";
    String packet = new StringBuilder(udp(5_000)).replace(40, 48, ports).toString();
    Commands.run(host.inside(TunPackets.command("tun0", packet, BURST + 20)));

    assertThat(host.policy("p").path("conformPackets").asLong()).isBetween(100L, 102L);
    assertThat(host.policy("p").path("markedPackets").asLong()).isBetween(18L, 20L);
  }

  @Test
  void aPatternSelectsInterfacesAndEachCanHaveABucketOfItsOwn() throws IOException {
    Commands.run(
        host.inside(List.of("ip", "link", "add", "ex0", "type", "veth", "peer", "name", "ex1")));
    String selector = "  interfaces: [{pattern: 'e*', exclude: ['?x1', 'none']}]\n";
    write(text("p", "{per: Interface}", RATE, "Enforce") + selector);
    try (TrafficRun run = flood("10.88.1.2", 2)) {
      assertThat(run.result().received().perSecond())
          .isBetween(RATE * LEAST, atMost(RATE, BURST, 2));
    }

    assertThat(host.status().path("hooks").findValuesAsText("interface"))
        .containsExactlyInAnyOrder("eth0", "ex0");
    assertThat(host.status().path("hooks").findValuesAsText("per"))
        .containsExactly("Interface", "Interface");
  }

  @Test
  void thePlaceOfASourceThatWentQuietIsFreeForAnother() throws IOException {
    // neighbour discovery would take the one place
    Commands.run(network.atSource(List.of("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")));
    Daemon.pause(Duration.ofSeconds(1));
    apply("{per: SourceIP, capacity: 1}", RATE);
    for (String source : List.of("10.88.1.2", "10.88.1.3")) {
      try (TrafficRun run = flood(source, 1)) {
        assertThat(run.result().received().perSecond())
            .isBetween(RATE * LEAST, atMost(RATE, BURST, 1));
      }
      // a full bucket is removed within two sweeps, which are 2 s apart
      Daemon.pause(Duration.ofSeconds(5));
    }
    assertThat(host.policy("p").path("overflowPackets").asLong()).isZero();
  }

  private long bytesOf(String policy) {
    return host.policy(policy).path("conformBytes").asLong()
        + host.policy(policy).path("exceedBytes").asLong();
  }

  /** An IPv4 packet of this length that holds UDP, in hexadecimal; sums are left out. */
  private static String udp(int length) {
    String header = ("4500" + "%04x").formatted(length) + "00000000" + "4011" + "0000";
    return header + "0a580102" + "0a580101" + "00".repeat(length - 20);
  }

  /** Among policies of the same priority, those with the first names fit. */
  @Test
  void ofMoreThan64PoliciesOnAHookTheFirstAreInForceAndTheOthersSayWhy() throws IOException {
    apply("{}", RATE);
    StringBuilder many = new StringBuilder();
    for (int i = 0; i < 65; i++) {
      many.append(text("a" + i, "{}", 100_000, "Enforce")).append("---\n");
    }
    Files.writeString(policies.resolve("many.yaml"), many);
    agent.awaitLog("a hook holds at most 64 policies", Duration.ofSeconds(10));
    Poll.until("what fits", () -> host.status().at("/hooks/0/policies").size() == 64);

    assertThat(host.status().path("refused")).hasSize(2);
    assertThat(host.status().path("refused").get(0).asText())
        .matches(
            "(a[0-9]+|p): eth0 Ingress: a hook holds at most 64 policies, and that many come .*");
    assertThat(host.status().at("/hooks/0/policies").findValuesAsText("name")).contains("a0", "a1");
  }

  @Test
  void sixtyFourPoliciesOnAHookAreLoadedAndApplied() throws IOException {
    StringBuilder many = new StringBuilder();
    for (int i = 0; i < 63; i++) {
      many.append(text("p" + i, "{per: SourceIP, capacity: 100}", 100_000, "Enforce"));
      many.append("---\n");
    }
    Files.writeString(policies.resolve("many.yaml"), many);
    agent.awaitLog("attached to", Duration.ofSeconds(20));
    apply("{}", RATE);
    try (TrafficRun run = flood("10.88.1.2", 2)) {
      assertThat(run.result().received().perSecond())
          .isBetween(RATE * LEAST, atMost(RATE, BURST, 2));
    }
  }

  @Test
  void removingTheFileLeavesNoProgramLinkMapPinOrQdisc() throws IOException {
    apply("{per: SourceIP}", RATE);
    agent.awaitLog("attached to", Duration.ofSeconds(10));
    assertThat(KernelObjects.now().without(before).toString()).contains("tokenbucket");
    Files.delete(policies.resolve("p.yaml"));
    agent.awaitLog("removed every map and pin", Duration.ofSeconds(10));
    agent.close();

    assertThat(host.bpffs().resolve("tokenbucket")).doesNotExist();
    assertThat(host.status().path("hooks")).isEmpty();
    assertThat(KernelObjects.awaitNothingBeyond(before)).isEmpty();
    assertThat(qdiscs()).doesNotContain("clsact");
  }

  @Test
  void whereTcxIsMissingAClsactFilterDoesTheSameAndLeavesNothing() throws IOException {
    agent.close();
    startAgent("--clsact");
    apply("{}", RATE);
    assertThat(host.status().path("hooks").path(0).path("hook").asText()).isEqualTo("Clsact");
    assertThat(qdiscs()).contains("clsact");

    agent.kill();
    startAgent("--clsact");
    apply("{per: SourceIP}", 2 * RATE);
    try (TrafficRun run = flood("10.88.1.2", 2)) {
      assertThat(run.result().received().perSecond())
          .isBetween(2 * RATE * LEAST, atMost(2 * RATE, BURST, 2));
    }
    Files.delete(policies.resolve("p.yaml"));
    agent.awaitLog("removed every map and pin", Duration.ofSeconds(10));
    agent.close();
    assertThat(qdiscs()).doesNotContain("clsact");
    assertThat(KernelObjects.awaitNothingBeyond(before)).isEmpty();
  }

  @Test
  void anothersClsactFilterIsLeftAlone() throws IOException {
    Commands.run(host.inside(List.of("tc", "qdisc", "add", "dev", "eth0", "clsact")));
    List<String> filter =
        List.of(
            "tc",
            "filter",
            "add",
            "dev",
            "eth0",
            "ingress",
            "prio",
            "7",
            "protocol",
            "all",
            "bpf",
            "bytecode",
            "1,6 0 0 0",
            "classid",
            "1:1");
    Commands.run(host.inside(filter));
    agent.close();
    startAgent("--clsact");
    apply("{}", RATE);
    Files.delete(policies.resolve("p.yaml"));
    agent.awaitLog("removed every map and pin", Duration.ofSeconds(10));

    assertThat(Commands.run(host.inside(List.of("tc", "filter", "show", "dev", "eth0", "ingress"))))
        .contains("pref 7")
        .doesNotContain("pref 1 ");
  }

  private String qdiscs() {
    return Commands.run(host.inside(List.of("tc", "qdisc", "show", "dev", "eth0")));
  }

  private TrafficRun flood(String from, double seconds) {
    return TrafficRun.start(
        network::atSource,
        host::inside,
        host.address(),
        List.of(new TrafficRun.Sender(from, FLOOD)),
        seconds,
        true);
  }

  private void startAgent(String... options) {
    agent = host.startAgent(policies, Daemon.Lifetime.WITH_PARENT, options);
  }

  /** Writes the policy and waits until it is in force. */
  private void apply(String bucket, int rate) throws IOException {
    write(bucket, rate, "Enforce");
  }

  private void write(String bucket, int rate, String mode) throws IOException {
    write(text("p", bucket, rate, mode));
  }

  private void write(String policy) throws IOException {
    int heard = agent.log().length();
    Files.writeString(policies.resolve("p.yaml"), policy);
    agent.await(
        "programming of p",
        Duration.ofSeconds(10),
        () -> agent.log().indexOf("programmed p ", heard) >= 0);
    // Generous, for a busy machine.
    agent.await(
        "a program on the hook",
        Duration.ofSeconds(20),
        () -> agent.log().contains("attached to") || agent.log().contains("replaced the program"));
    // A change lies 50 ms ahead.
    Daemon.pause(Duration.ofMillis(300));
  }

  private static String text(String name, String bucket, int rate, String mode) {
    return """
    apiVersion: tokenbucket.dev/v1alpha1
    kind: TokenBucketPolicy
    metadata: {name: %s}
    spec:
      bucket: %s
      mode: %s
      rate: {packetsPerSecond: %d}
      burst: {packets: %d}
    """
        .formatted(name, bucket, mode, rate, BURST);
  }
}

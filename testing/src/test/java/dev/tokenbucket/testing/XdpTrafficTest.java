// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Policies with {@code hook: XDP} or {@code PreferXDP} on an agent's host. */
class XdpTrafficTest extends HostTest {
  private static final int BURST = 40;
  private static final String LIMIT = "rate: {packets: 6, per: Hour}, burst: {packets: 40}";

  private static final String OTHER = "match: [{protocol: TCP}], " + LIMIT;

  /** An interface whose driver has no native XDP. */
  private static final String WITHOUT_XDP = "ifb0";

  /**
   * An interface that runs another XDP program for a while, and refuses Tokenbucket's for a minute.
   */
  private static final String OCCUPIED = "u1";

  @BeforeAll
  void addAnInterfaceWithoutXdp() {
    atHostRun("ip", "link", "add", WITHOUT_XDP, "type", "ifb");
    atHostRun("ip", "link", "set", WITHOUT_XDP, "up");
    atHostRun("ip", "link", "add", OCCUPIED, "type", "veth", "peer", "name", "x1");
    atHostRun("ip", "link", "set", OCCUPIED, "up");
  }

  @AfterEach
  void removeThePolicies() throws IOException {
    removePolicies();
    Poll.until("no hook is left", () -> hooks().isEmpty());
  }

  private static String limit(String name, String hook, String on, String rest) {
    return policy(name, "hook: %s, interfaces: [{name: %s}], %s".formatted(hook, on, rest));
  }

  /** The interface and the kind of each hook that runs this policy. */
  private List<String> hooksOf(String policy) {
    return stream(host.status().path("hooks"))
        .filter(hook -> hook.path("policies").findValuesAsText("name").contains(policy))
        .map(hook -> hook.path("interface").asText() + " " + hook.path("hook").asText())
        .toList();
  }

  private List<JsonNode> hooks() {
    return stream(host.status().path("hooks")).toList();
  }

  private static Stream<JsonNode> stream(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }

  @Test
  void aPolicyAtXdpLimitsCountsAndAuditsAsAtTc() throws Exception {
    String port = "match: [{protocol: UDP, destinationPorts: [%d]}], " + LIMIT;
    apply(
        limit("enforced", "XDP", "eth0", port.formatted(7101))
            + limit("audited", "XDP", "eth0", "mode: Audit, " + port.formatted(7102))
            + limit("at-tc", "TC", "eth0", port.formatted(7103)));
    Poll.until("both hooks", () -> hooks().size() == 2);
    try (DatagramSocket source = atSource(host.source(2));
        DatagramSocket enforced = atHost(host.address(), 7101);
        DatagramSocket audited = atHost(host.address(), 7102);
        DatagramSocket atTc = atHost(host.address(), 7103)) {
      assertThat(arriving(100, source, enforced)).isEqualTo(BURST);
      assertThat(arriving(100, source, audited)).isEqualTo(100);
      assertThat(arriving(100, source, atTc)).isEqualTo(BURST);
    }
    assertThat(hooksOf("enforced")).containsExactly("eth0 XDP");
    assertThat(host.policy("enforced").path("exceedPackets").asInt()).isEqualTo(100 - BURST);
    assertThat(host.policy("audited").path("exceedPackets").asInt()).isEqualTo(100 - BURST);
    assertThat(host.status().path("warnings").toString())
        .doesNotContain("may judge the same packets");
    assertThat(explained(7101))
        .containsSubsequence("audited", "enforced", "at-tc", "verdict: drop");
    assertThat(explained(7103))
        .containsSubsequence("audited", "enforced", "at-tc", "exceeds", "verdict: drop");
  }

  private String explained(int port) {
    return Commands.run(
        host.tb(
            "explain --in eth0 --proto udp --src %s --sport 9 --dst %s --dport %d"
                .formatted(host.source(2), host.address(), port)
                .split(" ", -1)));
  }

  @Test
  void policiesAtBothHooksAreListedInTheOrderInWhichTheyJudge() throws IOException {
    write(
        limit("at-tc", "TC", "eth0", LIMIT)
            + limit("late", "XDP", "eth0", "priority: 900, " + LIMIT));
    Poll.until("both hooks", () -> hooks().size() == 2);

    Poll.until(
        "the order is a warning",
        () ->
            host.status()
                .path("warnings")
                .toString()
                .contains("eth0 Ingress: may judge the same packets, before this one late"));
  }

  @Test
  void aDriverWithoutXdpIsNamedAndThePolicyThatPrefersXdpRunsAtTc() throws IOException {
    write(
        policy("only", "hook: XDP, interfaces: [{name: ifb0}], " + LIMIT)
            + policy(
                "prefers", "hook: PreferXDP, interfaces: [{name: eth0}, {name: ifb0}], " + LIMIT));
    Poll.until("the other policy runs", () -> hooksOf("prefers").size() == 2);

    assertThat(hooksOf("prefers")).containsExactlyInAnyOrder("eth0 XDP", "ifb0 TCX");
    assertThat(hooksOf("only")).isEmpty();
    assertThat(host.status().path("refused").toString())
        .contains("ifb0 XDP: its driver, ifb, has no native XDP; set hook to PreferXDP");
    Poll.until(
        "the reason is a warning",
        () ->
            host.status()
                .path("warnings")
                .toString()
                .contains(
                    "ifb0: at TC instead of XDP, because its driver, ifb, has no native XDP"));
  }

  @Test
  void aPolicyThatCanNotMoveToXdpStaysInForceAtTc() throws IOException {
    apply(limit("stays", "TC", WITHOUT_XDP, LIMIT));
    write(limit("stays", "XDP", WITHOUT_XDP, LIMIT));
    Poll.until(
        "the refusal", () -> host.status().path("refused").toString().contains("no native XDP"));

    assertThat(hooksOf("stays")).containsExactly("ifb0 TCX");
  }

  @Test
  void anotherXdpProgramIsNotReplaced() throws IOException {
    Path pin = host.bpffs().resolve("foreign");
    Path object = Commands.repository().resolve("bpf/target/classes/bpf/xdp.bpf.o");
    atHostRun("bpftool", "prog", "load", object.toString(), pin.toString(), "type", "xdp");
    atHostRun("bpftool", "net", "attach", "xdpdrv", "pinned", pin.toString(), "dev", OCCUPIED);
    try {
      String before = foreign();
      write(limit("second", "XDP", OCCUPIED, LIMIT) + limit("third", "PreferXDP", OCCUPIED, LIMIT));
      Poll.until("one policy runs", () -> hooksOf("third").equals(List.of("u1 TCX")));

      assertThat(host.status().path("refused").toString())
          .contains("u1 XDP: it runs another XDP program, which is not replaced");
      assertThat(foreign()).isEqualTo(before);
    } finally {
      atHostRun("bpftool", "net", "detach", "xdpdrv", "dev", OCCUPIED);
      atHostRun("rm", pin.toString());
    }
  }

  private String foreign() {
    return Commands.run(host.inside(List.of("bpftool", "net", "show", "dev", OCCUPIED)))
        .replaceAll("(?s).*xdp:(.*)tc:.*", "$1");
  }

  /** Each change of hook charges packets twice for a moment, and never lets one pass unseen. */
  @ParameterizedTest
  @ValueSource(strings = {"", "bucket: {per: SourceIP}, "})
  void aPolicyThatMovesUnderLoadLimitsAllTheTime(String bucket) throws Exception {
    String name = bucket.isEmpty() ? "moves" : "moves-per-source";
    String rest =
        bucket
            + "match: [{protocol: UDP, destinationPorts: [7105]}],"
            + " rate: {packetsPerSecond: 100}, burst: {packets: 40}";
    write(limit(name, "TC", "eth0", rest) + limit("rests", "XDP", "eth0", OTHER));
    Poll.until(name + " is at TC", () -> hooksOf(name).equals(List.of("eth0 TCX")));
    try (DatagramSocket source = atSource(host.source(3));
        DatagramSocket at = atHost(host.address(), 7105)) {
      at.setReceiveBufferSize(1 << 20);
      long begun = System.nanoTime();
      Thread sender = new Thread(() -> flood(source, at), "sender");
      sender.start();
      for (String hook : List.of("XDP", "TC", "PreferXDP", "TC")) {
        write(limit(name, hook, "eth0", rest) + limit("rests", "XDP", "eth0", OTHER));
        String kind = hook.equals("TC") ? "eth0 TCX" : "eth0 XDP";
        Poll.until(name + " is at " + kind, () -> hooksOf(name).equals(List.of(kind)));
      }
      sender.interrupt();
      sender.join(Duration.ofSeconds(10).toMillis());
      double seconds = (System.nanoTime() - begun) / 1e9;
      int arrived = received(at);
      assertThat((double) arrived).isBetween((double) BURST, BURST + 100 * seconds + 1);
    }
  }

  /** Sends ten times the permitted rate until it is interrupted. */
  private static void flood(DatagramSocket from, DatagramSocket to) {
    DatagramPacket packet = new DatagramPacket(new byte[64], 64, to.getLocalSocketAddress());
    try {
      for (int i = 0; i < 100_000 && !Thread.interrupted(); i++) {
        from.send(packet);
        Thread.sleep(1);
      }
    } catch (IOException e) {
      throw new StepFailedException("sending", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.DatagramSocket;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A default route, an interface and the agent disappear for a moment and come back. */
class AbsenceTrafficTest extends HostTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  /** How long a hold lasts, as docs/operations.md promises. */
  private static final Duration HOLD = Duration.ofSeconds(30);

  private static final String ROUTE = "10.88.1.2";

  private static final int BURST = 100;
  private static final String SLOW = "rate: {packetsPerSecond: 1}, burst: {packets: 100}";

  @Test
  void aDefaultRouteThatGoesAndComesLeavesLimitBucketAndCountersAsTheyWere() throws Exception {
    long start = System.nanoTime();
    apply(policy("route", SLOW));
    try (DatagramSocket to = atHost(host.address(), 7001);
        DatagramSocket from = atSource(host.source(2))) {
      int passed = arriving(300, from, to);
      assertThat(passed).isGreaterThanOrEqualTo(BURST);
      long program = hook().path("programId").asLong();
      long exceeded = host.policy("route").path("exceedPackets").asLong();

      atHostRun("ip", "route", "del", "default");
      Poll.until(
          "the hold is reported", SOON, () -> host.statusText().contains("lost its default route"));
      passed += arriving(100, from, to);
      atHostRun("ip", "route", "add", "default", "via", ROUTE);
      Poll.until(
          "the warning ends", SOON, () -> !host.statusText().contains("lost its default route"));
      passed += arriving(100, from, to);

      assertThat(passed).isLessThanOrEqualTo(mostSince(start));
      assertThat(hook().path("programId").asLong()).isEqualTo(program);
      assertThat(host.policy("route").path("exceedPackets").asLong()).isGreaterThan(exceeded + 80);
      assertThat(host.status().path("refused")).isEmpty();
    }
  }

  @Test
  void anAgentThatStartsWhileTheDefaultRouteIsAwayKeepsItsLimit() throws Exception {
    apply(policy("restart", SLOW));
    long program = hook().path("programId").asLong();
    atHostRun("ip", "route", "del", "default");
    try {
      Poll.until(
          "the hold is reported", SOON, () -> host.statusText().contains("lost its default route"));

      restartAgent();

      apply(policy("another", "rate: {packetsPerSecond: 1}") + policy("restart", SLOW));
      assertThat(host.policy("restart").path("exceedPackets").isNumber()).isTrue();
      assertThat(hook().path("programId").asLong()).isNotEqualTo(program);
      assertThat(agent.log()).contains("replaced the program of").doesNotContain("detached");
    } finally {
      atHostRun("ip", "route", "add", "default", "via", ROUTE);
    }
  }

  @Test
  void anInterfaceThatIsMadeAgainFindsItsBucket() throws Exception {
    makeLink();
    long start = System.nanoTime();
    apply(policy("again", SLOW + ", interfaces: [{name: up1}]"));
    int passed;
    try (DatagramSocket to = atHost("10.92.0.1", 7002);
        DatagramSocket from = atSource("10.92.0.2")) {
      passed = arriving(300, from, to);
      // A new link's own packets, such as MLD reports, take some tokens.
      assertThat(passed).isGreaterThan(BURST / 2);
    }

    atHostRun("ip", "link", "del", "up1");
    Poll.until(
        "it is missed", SOON, () -> host.status().path("refused").toString().contains("up1"));
    int heard = agent.log().length();
    makeLink();
    agent.await("it is limited", SOON, () -> agent.log().substring(heard).contains("attached to"));

    try (DatagramSocket to = atHost("10.92.0.1", 7002);
        DatagramSocket from = atSource("10.92.0.2")) {
      passed += arriving(300, from, to);
    }
    assertThat(passed).isLessThanOrEqualTo(mostSince(start));
    Poll.until("all is well", SOON, () -> host.status().path("refused").isEmpty());
    int ended = agent.log().length();
    atHostRun("ip", "link", "del", "up1");
    agent.await(
        "its buckets are given up",
        HOLD.plus(SOON),
        () -> agent.log().substring(ended).contains("freed the buckets of again"));
  }

  /** B + Q t of these policies. */
  private static int mostSince(long start) {
    return BURST + 1 + (int) Duration.ofNanos(System.nanoTime() - start).toSeconds();
  }

  private void makeLink() {
    atHostRun(
        "ip",
        "link",
        "add",
        "up1",
        "type",
        "veth",
        "peer",
        "name",
        "down1",
        "netns",
        sourceNamespace());
    atHostRun("ip", "addr", "add", "10.92.0.1/24", "dev", "up1");
    atSourceRun("ip", "addr", "add", "10.92.0.2/24", "dev", "down1");
    atHostRun("ip", "link", "set", "up1", "up");
    atSourceRun("ip", "link", "set", "down1", "up");
    TestNetwork.awaitUp(host.namespace(), "up1");
    TestNetwork.awaitUp(sourceNamespace(), "down1");
  }

  private JsonNode hook() {
    return host.status().path("hooks").path(0);
  }
}

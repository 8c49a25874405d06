// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which interfaces an agent limits, on a host with two uplinks {@code u1} and {@code u2}. */
@ExtendWith(RequiresRoot.class)
class InterfaceSelectionTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  @TempDir Path folder;
  private Path policies;
  private TestNetwork network;
  private TestHost host;
  private @Nullable Daemon agent;

  @BeforeEach
  void makeAHostWithTwoUplinks() throws IOException {
    policies = Files.createDirectory(folder.resolve("policies"));
    network = TestNetwork.of(1, Files.createDirectory(folder.resolve("hosts")));
    host = network.hosts().get(0);
    for (int i = 1; i <= 2; i++) {
      ip("link add u%d type veth peer name x%d".formatted(i, i));
      ip("address add 10.91.%d.1/24 dev u%d".formatted(i, i));
      ip("address add fd91:%d::1/64 dev u%d nodad".formatted(i, i));
      ip("link set u%d up".formatted(i));
      ip("link set x%d up".formatted(i));
    }
  }

  @AfterEach
  void removeIt() {
    if (agent != null) {
      agent.close();
    }
    network.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "route replace default nexthop via 10.91.1.2 dev u1 nexthop via 10.91.2.2 dev u2",
        "-6 route replace default nexthop via fd91:1::2 dev u1 nexthop via fd91:2::2 dev u2",
        "nexthop add id 1 via 10.91.1.2 dev u1; nexthop add id 2 via 10.91.2.2 dev u2;"
            + " nexthop add id 3 group 1/2; route replace default nhid 3",
        "-6 nexthop add id 1 via fd91:1::2 dev u1; -6 nexthop add id 2 via fd91:2::2 dev u2;"
            + " nexthop add id 3 group 1/2; -6 route replace default nhid 3",
        "route replace default via 10.91.1.2 dev u1; route add default via 10.91.2.2 dev u2 table"
            + " 7",
        "-6 route replace default via fd91:1::2 dev u1;"
            + " -6 route add default via fd91:2::2 dev u2 table 7"
      })
  void everyUplinkOfADefaultRouteIsLimited(String routes) throws IOException {
    for (String each : routes.split(";", -1)) {
      ip(each.strip());
    }
    write("p", "");
    startAgent();

    Poll.until(
        "both uplinks are limited", SOON, () -> interfaces().containsAll(List.of("u1", "u2")));
  }

  @Test
  void twoNamesOfOneInterfaceAreOneHook() throws IOException {
    ip("link property add dev u1 altname uplink");
    write("by-name", "  interfaces: [{name: u1}]\n");
    write("by-alternative-name", "  interfaces: [{name: uplink}, {pattern: 'upl*'}]\n");
    startAgent();

    Poll.until("both policies run", SOON, () -> names().size() == 2);
    assertThat(interfaces()).containsExactly("u1");
    JsonNode program = host.status().path("hooks").get(0).path("programId");
    write("third", "  interfaces: [{name: u2}]\n");
    Poll.until("a later pass is done", SOON, () -> names().size() == 3);
    assertThat(host.status().path("hooks").findValues("programId")).contains(program);
  }

  @Test
  void aSelectorThatMatchesNothingIsSaidThoughAnotherOneMatches() throws IOException {
    write("p", "  interfaces: [{name: u1}, {name: u9}]\n");
    startAgent();

    Poll.until(
        "the missing interface is named",
        SOON,
        () -> host.status().path("refused").toString().contains("no interface named u9"));
    assertThat(interfaces()).containsExactly("u1");
  }

  /** An interface that is moved away takes its program and its index along. */
  @Test
  void anInterfaceWithTheIndexOfOneThatWasMovedAwayIsLimited() throws IOException {
    write("p", "  interfaces: [{name: u1}]\n");
    startAgent();
    Poll.until("u1 is limited", SOON, () -> interfaces().equals(List.of("u1")));
    long before = program();
    String index = ip("-o link show u1").replaceAll("(?s):.*", "");
    String elsewhere = network.namespaces().get(0);

    ip("link set u1 netns " + elsewhere);
    ip("link add u1 index " + index + " type veth peer name y1");

    Poll.until("the new u1 is limited", SOON, () -> program() != 0 && program() != before);
    assertThat(Commands.run("ip", "netns", "exec", elsewhere, "bpftool", "net", "-j"))
        .doesNotContain("tokenbucket");
  }

  @Test
  void interfacesThatAreMadeRenamedAndMovedHereAreLimited() throws IOException {
    write("p", "  interfaces: [{pattern: 'pod*'}]\n");
    startAgent();
    String elsewhere = network.namespaces().get(0);

    for (int i = 0; i < 4; i++) {
      ip("link add pod-made%d type veth peer name far-made%d".formatted(i, i));
      ip("link add tmp%d type veth peer name far-renamed%d".formatted(i, i));
      ip("link set tmp%d name pod-renamed%d".formatted(i, i));
      Commands.run(
          "ip",
          "-n",
          elsewhere,
          "link",
          "add",
          "pod-moved" + i,
          "type",
          "veth",
          "peer",
          "name",
          "far-moved" + i);
      Commands.run(
          "ip", "-n", elsewhere, "link", "set", "pod-moved" + i, "netns", host.namespace());
    }
    Poll.until("all are limited", SOON, () -> interfaces().size() == 12);

    ip("link set pod-renamed0 name gone0");
    ip("link set pod-moved0 netns " + elsewhere);
    ip("link del pod-made0");
    Poll.until("what has left is not", SOON, () -> interfaces().size() == 9);
  }

  /** Each packet of the VXLAN device would be charged on both interfaces. */
  @Test
  void aVxlanIsLeftOutWhereTheInterfaceBeneathItIsSelectedToo() throws IOException {
    ip("link add vx type vxlan id 7 dev u1 dstport 4789 remote 10.91.1.2");
    write("p", "  interfaces: [{name: u1}, {name: vx}]\n");
    startAgent();

    Objects.requireNonNull(agent).awaitLog("vx is a tunnel whose packets may also pass u1", SOON);
    assertThat(interfaces()).containsExactly("u1");
  }

  /** A tap takes any speed by ethtool; a VXLAN device without a lower device reports none. */
  @Test
  void aPercentageFollowsTheSpeedOfEachLink() throws IOException {
    ip("tuntap add t1 mode tap");
    ip("link set t1 up");
    ip("link add vx type vxlan id 7 dstport 4789 remote 10.91.1.2");
    ethtool("-s t1 speed 1000");
    write(
        "p",
        "rate: {percentOfLinkSpeed: 10}\n  bucket: {per: Interface}",
        "  interfaces: [{name: u1}, {name: t1}, {name: vx}]\n");
    startAgent();

    Poll.until("both have their rate", SOON, () -> rates().equals("t1 100000000, u1 1000000000"));
    assertThat(host.status().path("refused").toString())
        .contains("vx reports no link speed")
        .doesNotContain("u1", "t1");
    assertThat(Commands.run(host.tb("status"))).contains("100 Mbit/s");
    List<String> programs = host.status().path("hooks").findValuesAsText("programId");

    ip("link set t1 down");
    ethtool("-s t1 speed 2500");
    ip("link set t1 up");
    Poll.until(
        "the rate follows the speed", SOON, () -> rates().equals("t1 250000000, u1 1000000000"));
    assertThat(host.status().path("hooks").findValuesAsText("programId"))
        .as("the programs that ran before")
        .isEqualTo(programs);
  }

  /** Interfaces and their rates, in order. */
  private String rates() {
    TreeMap<String, String> rates = new TreeMap<>();
    for (JsonNode hook : host.status().path("hooks")) {
      rates.put(
          hook.path("interface").asText(), hook.path("policies").path(0).path("rate").asText());
    }
    return rates.entrySet().stream()
        .map(each -> each.getKey() + " " + each.getValue())
        .collect(Collectors.joining(", "));
  }

  private void ethtool(String arguments) {
    Commands.run(host.inside(List.of(("ethtool " + arguments).split(" ", -1))));
  }

  private long program() {
    return host.status().path("hooks").path(0).path("programId").asLong();
  }

  private void startAgent() {
    agent = host.startAgent(policies, Daemon.Lifetime.WITH_PARENT);
  }

  private String ip(String arguments) {
    return Commands.run(host.inside(List.of(("ip " + arguments).split(" ", -1))));
  }

  private void write(String name, String selectors) throws IOException {
    write(name, "rate: {packetsPerSecond: 1000}", selectors);
  }

  private void write(String name, String rate, String selectors) throws IOException {
    Files.writeString(
        policies.resolve(name + ".yaml"),
        """
        apiVersion: tokenbucket.dev/v1alpha1
        kind: TokenBucketPolicy
        metadata: {name: %s}
        spec:
          %s
        %s\
        """
            .formatted(name, rate, selectors));
  }

  private List<String> interfaces() {
    return host.status().path("hooks").findValuesAsText("interface");
  }

  private List<String> names() {
    return host.status().path("hooks").findValuesAsText("name");
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MatchResolverTest {
  private static final int PORTS = 65_536;

  private static NodeMatchTerm term(String term) {
    NodePolicy policy = Specs.resolve("{rate: {packetsPerSecond: 1}, match: [" + term + "]}");
    assertThat(policy.match()).hasSize(1);
    return policy.match().get(0);
  }

  @ParameterizedTest
  @CsvSource({
    "TCP,6",
    "UDP,17",
    "SCTP,132",
    "ICMP,1",
    "ICMPv6,58",
    "0,0",
    "'''47''',47",
    "255,255"
  })
  void aProtocolIsANumber(String protocol, int number) {
    assertThat(term("{protocol: " + protocol + "}").protocol()).isEqualTo(number);
  }

  @Test
  void newConnectionsAreTcp() {
    assertThat(term("{newConnectionsOnly: true}"))
        .isEqualTo(new NodeMatchTerm(6, List.of(), List.of(), List.of(), List.of(), true));
    assertThat(term("{newConnectionsOnly: false, destinationPorts: [80]}"))
        .isEqualTo(
            new NodeMatchTerm(
                null, List.of(), List.of(), List.of(), List.of(new PortRange(80, 80)), false));
  }

  @Test
  void aRateOfConnectionsJudgesNewConnectionsOnly() {
    NodePolicy all = Specs.resolve("{rate: {connectionsPerSecond: 1k}}");
    NodePolicy some =
        Specs.resolve(
            "{rate: {connectionsPerSecond: 1k}, match: [{sourceCIDRs: [10.0.0.0/8]}],"
                + " exempt: [{protocol: UDP}]}");

    assertThat(all.unit()).isEqualTo(RateUnit.Connections);
    assertThat(all.unit().rateText(all.rate())).isEqualTo("1k connections/s");
    assertThat(all.unit().burstText(all.burst())).isEqualTo("100 connections");
    assertThat(all.match())
        .containsExactly(new NodeMatchTerm(6, List.of(), List.of(), List.of(), List.of(), true));
    assertThat(some.match())
        .containsExactly(
            new NodeMatchTerm(6, List.of("10.0.0.0/8"), List.of(), List.of(), List.of(), true));
    assertThat(some.exempt())
        .containsExactly(new NodeMatchTerm(17, List.of(), List.of(), List.of(), List.of(), false));
  }

  @Test
  void whatHeadersSayIsInOneOrder() {
    NodeMatchTerm flags =
        term("{tcpFlags: {set: [SYN, FIN], unset: [RST, ACK]}, dscps: [46, 0], fragment: None}");

    assertThat(flags.protocol()).isEqualTo(6);
    assertThat(flags.tcpFlags())
        .isEqualTo(
            new TcpFlags(List.of(TcpFlag.FIN, TcpFlag.SYN), List.of(TcpFlag.RST, TcpFlag.ACK)));
    assertThat(flags.dscps()).containsExactly(0, 46);
    assertThat(flags.fragment()).isEqualTo(Fragment.None);
    assertThat(term("{protocol: ICMP, icmp: {type: 8}}").icmp()).isEqualTo(new Icmp(8, null));
    assertThat(term("{packetLengths: [60-100, 40, '41-59', 1500]}").packetLengths())
        .containsExactly(new LengthRange(40, 100), new LengthRange(1500, 1500));
  }

  /** Port 0 is nobody's, but a packet can claim it. */
  @Test
  void allPortsButSomeAreTheOtherPorts() {
    assertThat(term("{notSourcePorts: [80, 443-500]}").sourcePorts())
        .containsExactly(new PortRange(0, 79), new PortRange(81, 442), new PortRange(501, 65_535));
    assertThat(term("{notDestinationPorts: ['1-65535']}").destinationPorts())
        .containsExactly(new PortRange(0, 0));
    assertThat(term("{sourceCIDRs: [10.0.0.0/8], notSourceCIDRs: [10.1.0.0/16]}").notSourceCIDRs())
        .containsExactly("10.1.0.0/16");
  }

  @Test
  void aRateOfConnectionsKeepsAllThatATermAsksFor() {
    NodePolicy policy =
        Specs.resolve(
            "{rate: {connectionsPerSecond: 1}, match: [{notSourceCIDRs: [10.0.0.0/8],"
                + " tcpFlags: {unset: [ECE]}, dscps: [8], packetLengths: [60], fragment: None}]}");

    assertThat(policy.match())
        .containsExactly(
            new NodeMatchTerm(
                6,
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                true,
                List.of("10.0.0.0/8"),
                List.of(),
                new TcpFlags(null, List.of(TcpFlag.ECE)),
                null,
                List.of(8),
                List.of(new LengthRange(60, 60)),
                Fragment.None));
  }

  @Test
  void equalIntentIsEqualJson() throws JsonProcessingException {
    NodePolicy one =
        Specs.resolve(
            "{rate: {packetsPerSecond: 1}, match: [{protocol: UDP}, {sourceCIDRs:"
                + " ['2001:DB8:0::/48', 10.0.0.0/8], sourcePorts: [80, 81, 90-99]}]}");
    NodePolicy other =
        Specs.resolve(
            "{rate: {packetsPerSecond: 1}, match: [{sourcePorts: [95-99, 90-96, '80-81'],"
                + " sourceCIDRs: [10.0.0.0/8, '2001:db8::/48', 10.0.0.0/8]},"
                + " {protocol: 17}, {protocol: '17'}]}");
    NodePolicy headers =
        Specs.resolve(
            "{rate: {packetsPerSecond: 1}, match: [{tcpFlags: {set: [SYN]}, dscps: [1],"
                + " packetLengths: [40], fragment: First, notSourceCIDRs: [10.0.0.0/8]},"
                + " {protocol: ICMP, icmp: {type: 8}}]}");
    ObjectMapper json = new ObjectMapper();

    assertThat(json.writeValueAsString(one)).isEqualTo(json.writeValueAsString(other));
    assertThat(json.writeValueAsString(one.match()))
        .isEqualTo(
            "[{\"sourceCIDRs\":[\"10.0.0.0/8\",\"2001:db8::/48\"],\"sourcePorts\":"
                + "[{\"from\":80,\"to\":81},{\"from\":90,\"to\":99}]},{\"protocol\":17}]");
    for (NodePolicy each : List.of(one, headers)) {
      assertThat(json.readValue(json.writeValueAsString(each), NodePolicy.class)).isEqualTo(each);
    }
  }

  @Test
  void whatAnOlderVersionDidNotWriteIsAtItsDefault() throws JsonProcessingException {
    String old =
        """
        {"name":"p","uid":"uid","generation":1,"interfaces":[{"defaultRoute":true}],
         "direction":"Ingress","priority":500,"per":"Node","capacity":65536,
         "ipv4PrefixLength":32,"ipv6PrefixLength":64,"unit":"Packets","rate":1,"burst":10,
         "action":"Drop","mode":"Enforce"}
        """;

    assertThat(new ObjectMapper().readValue(old, NodePolicy.class))
        .isEqualTo(Specs.resolve("{rate: {packetsPerSecond: 1}}"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{protocol: tcp}",
        "{protocol: 256}",
        "{sourceCIDRs: [10.0.0.0]}",
        "{sourcePorts: [0]}",
        "{destinationPorts: [70000]}",
        "{destinationPorts: [9-8]}",
        "{destinationPorts: [http]}",
        "{notSourcePorts: [0]}",
        "{packetLengths: [19]}",
        "{notDestinationCIDRs: [10.0.0.0]}"
      })
  void whatNoRuleRefusedIsNotGuessed(String term) {
    assertThatThrownBy(() -> term(term))
        .isInstanceOf(PolicyResolver.InvalidPolicyException.class)
        .hasMessageStartingWith("spec.match[0].")
        .hasMessageContaining("Invalid value: \"")
        .hasMessageContaining("must be");
  }

  @Provide
  Arbitrary<PortRange> ranges() {
    Arbitrary<Integer> port = Arbitraries.integers().between(1, PORTS - 1);
    return Combinators.combine(port, port)
        .as((a, b) -> new PortRange(Math.min(a, b), Math.max(a, b)));
  }

  @Provide
  Arbitrary<List<PortRange>> portLists() {
    return Arbitraries.oneOf(
            ranges(), Arbitraries.integers().between(1, 60).map(p -> new PortRange(p, p)))
        .list()
        .ofMinSize(1)
        .ofMaxSize(64);
  }

  private static List<PortRange> resolvePorts(List<PortRange> ranges) {
    String texts =
        ranges.stream().map(PortRange::toString).collect(Collectors.joining("', '", "['", "']"));
    return term("{sourcePorts: " + texts + "}").sourcePorts();
  }

  @Property(tries = 200)
  void portsAreTheSamePortsInFewestRanges(
      @ForAll("portLists") List<PortRange> ranges, @ForAll Random order) {
    List<PortRange> shuffled = new ArrayList<>(ranges);
    Collections.shuffle(shuffled, order);

    List<PortRange> resolved = resolvePorts(ranges);

    assertThat(portsOf(resolved)).isEqualTo(portsOf(ranges));
    assertThat(resolvePorts(shuffled)).isEqualTo(resolved);
    assertThat(resolvePorts(resolved)).isEqualTo(resolved);
    for (int i = 1; i < resolved.size(); i++) {
      assertThat(resolved.get(i).from()).isGreaterThan(resolved.get(i - 1).to() + 1);
    }
  }

  private static BitSet portsOf(List<PortRange> ranges) {
    BitSet ports = new BitSet(PORTS);
    ranges.forEach(range -> ports.set(range.from(), range.to() + 1));
    return ports;
  }
}

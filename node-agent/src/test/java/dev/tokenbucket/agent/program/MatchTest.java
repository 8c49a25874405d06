// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static dev.tokenbucket.agent.program.Terms.TCP;
import static dev.tokenbucket.agent.program.Terms.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.program.Frames.Extension;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.PortRange;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which packets a policy judges, in the kernel: match[] and exempt[]. Needs root. */
class MatchTest extends BothHooksTest {
  private static final PortRange WEB = new PortRange(80, 80);
  private static final PortRange HIGH = new PortRange(8000, 8999);

  /** A bucket of one token that never comes back, so a judged packet passes once. */
  private static final Policy ONE = Policy.packets(1, 1);

  private void assertJudged(Policy policy, byte[] frame, boolean judged) {
    try (VirtualHook hook = hook(policy)) {
      assertThat(hook.passing(3, frame)).isEqualTo(judged ? 1 : 3);
      assertThat(hook.counters(0).conformPackets()).isEqualTo(judged ? 1 : 0);
    }
  }

  @ParameterizedTest
  @CsvSource({"6, true", "17, false", "132, false", "1, false"})
  void aTermsProtocolIsThePackets(int protocol, boolean judged) {
    assertJudged(ONE.matching(Terms.protocol(TCP)), Frames.ports(protocol, 1, 2), judged);
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.0/8, 10.0.0.2, true",
    "10.0.0.0/8, 11.0.0.2, false",
    "10.0.0.2/32, 10.0.0.2, true",
    "10.0.0.2/32, 10.0.0.3, false",
    "0.0.0.0/0, 10.0.0.3, true",
    "0.0.0.0/0, fd00::2, false",
    "::/0, fd00::2, true",
    "::/0, 10.0.0.2, false",
    "fd00::/16, fd00::2, true",
    "fd00::/127, fd00::2, false",
    "fd00::2/127, fd00::3, true",
  })
  void aTermsSourceNetworkHoldsThePacketsSource(String network, String source, boolean judged) {
    assertJudged(ONE.matching(Terms.from(network)), Frames.udp(source, 100), judged);
  }

  @ParameterizedTest
  @CsvSource({"10.0.0.9, true", "10.0.1.9, false"})
  void aTermsDestinationNetworkHoldsThePacketsDestination(String destination, boolean judged) {
    assertJudged(
        ONE.matching(Terms.to("10.0.0.0/24")),
        Frames.to(destination, Frames.udp("10.0.0.2", 100)),
        judged);
  }

  @ParameterizedTest
  @CsvSource({"80, true", "81, false", "7999, false", "8000, true", "8999, true", "9000, false"})
  void aTermsPortsHoldThePacketsDestinationPort(int port, boolean judged) {
    assertJudged(ONE.matching(Terms.toPorts(TCP, WEB, HIGH)), Frames.ports(TCP, 5, port), judged);
  }

  @ParameterizedTest
  @CsvSource({"6, true", "17, true", "132, true", "1, false", "47, false"})
  void portsWithoutProtocolAreThoseOfTcpUdpAndSctp(int protocol, boolean judged) {
    assertJudged(ONE.matching(Terms.fromPorts(null, WEB)), Frames.ports(protocol, 80, 5), judged);
  }

  @ParameterizedTest
  @CsvSource({"10.0.0.2, 80, true", "10.0.0.3, 80, false", "10.0.0.2, 81, false"})
  void allThatATermAsksForMustHold(String source, int port, boolean judged) {
    NodeMatchTerm term =
        Terms.term(
            TCP, List.of("10.0.0.2/32"), List.of("10.0.0.1/32"), List.of(), List.of(WEB), false);
    assertJudged(ONE.matching(term), Frames.from(source, Frames.ports(TCP, 5, port)), judged);
  }

  @ParameterizedTest
  @CsvSource({"80, true", "443, true", "22, false"})
  void oneTermOfManyIsEnough(int port, boolean judged) {
    Policy policy =
        ONE.matching(
            Terms.toPorts(TCP, WEB),
            Terms.toPorts(TCP, new PortRange(443, 443)),
            Terms.from("192.0.2.0/24"));
    assertJudged(policy, Frames.ports(TCP, 5, port), judged);
  }

  @ParameterizedTest
  @CsvSource({"10.0.0.2, false", "10.0.0.3, true", "10.9.0.2, false"})
  void anExemptPacketIsNotCounted(String source, boolean judged) {
    Policy policy =
        ONE.matching(Terms.from("10.0.0.0/16", "10.9.0.0/16"))
            .exempting(Terms.from("10.0.0.2/32"), Terms.from("10.9.0.0/24"));
    assertJudged(policy, Frames.udp(source, 100), judged);
  }

  @ParameterizedTest
  @CsvSource({"2, true", "18, false", "16, false", "4, false"})
  void newConnectionsAreSynWithoutAck(int flags, boolean judged) {
    assertJudged(ONE.matching(Terms.newConnections()), Frames.tcp(5, 80, flags), judged);
  }

  @Test
  void aRateOfConnectionsCountsThemAndLetsTheirPacketsPass() {
    try (VirtualHook hook = hook(Policy.connections(1, 3))) {
      assertThat(hook.passing(5, Frames.tcp(5, 80, 2))).isEqualTo(3);
      assertThat(hook.passing(5, Frames.tcp(5, 80, 16))).isEqualTo(5);
      assertThat(hook.passing(5, Frames.udp("10.0.0.2", 100))).isEqualTo(5);
      assertThat(hook.counters(0).exceedPackets()).isEqualTo(2);
    }
  }

  @Test
  void portsOfALaterFragmentCountAsAMatchAndNotAsExempt() {
    byte[] later = Frames.fragment(Frames.ports(UDP, 1, 2), 100);
    assertJudged(ONE.matching(Terms.toPorts(UDP, WEB)), later, true);
    assertJudged(ONE.matching(Terms.toPorts(TCP, WEB)), later, false);
    assertJudged(ONE.exempting(Terms.toPorts(UDP, new PortRange(1, 65_535))), later, true);
    assertJudged(ONE.exempting(Terms.protocol(UDP)), later, false);
  }

  @Test
  void aFirstFragmentCarriesItsPorts() {
    byte[] first = Frames.fragment(Frames.ports(UDP, 1, 2), 0);
    assertJudged(ONE.matching(Terms.toPorts(UDP, WEB)), first, false);
    assertJudged(ONE.exempting(Terms.toPorts(UDP, new PortRange(2, 2))), first, false);
  }

  @ParameterizedTest
  @CsvSource({"1, true", "2, false", "100, false"})
  void aLaterFragmentThatHoldsNoFlagsOpensNoConnection(int offset, boolean judged) {
    byte[] later = Frames.fragment(Frames.tcp(5, 80, 2), offset);
    assertJudged(ONE.matching(Terms.newConnections()), later, judged);
    assertJudged(
        ONE.matching(Terms.newConnections()),
        Frames.extended(5, 80, Extension.fragment(offset)),
        judged);
  }

  @Test
  void laterFragmentsPassARateOfConnectionsUncounted() {
    try (VirtualHook hook = hook(Policy.connections(1, 3))) {
      assertThat(hook.passing(20, Frames.fragment(Frames.tcp(5, 80, 16), 100))).isEqualTo(20);
      assertThat(hook.counters(0).conformPackets()).isZero();
    }
  }

  /** Receivers ask the first fragment alone. */
  @ParameterizedTest
  @ValueSource(ints = {17, 6, 58, 59})
  void theProtocolThatALaterFragmentOfIpv6TellsIsNotBelieved(int next) {
    byte[] later = Frames.extended(1, 2, Extension.fragment(9));
    later[14 + 40] = (byte) next;
    for (int protocol : new int[] {TCP, UDP, 58}) {
      assertJudged(ONE.matching(Terms.protocol(protocol)), later, true);
      assertJudged(ONE.exempting(Terms.protocol(protocol)), later, true);
    }
  }

  @Test
  void aFirstFragmentTooShortForFlagsCountsAsNew() {
    byte[] first = Frames.cut(Frames.fragment(Frames.tcp(5, 80, 16), 0), 14 + 20 + 8);
    assertJudged(ONE.matching(Terms.newConnections()), first, true);
    assertJudged(ONE.exempting(Terms.newConnections()), first, true);
  }

  @Test
  void aPacketTooShortForPortsMatchesAndIsNotExempt() {
    byte[] shortened = Frames.cut(Frames.ports(UDP, 1, 2), 14 + 20 + 3);
    assertJudged(ONE.matching(Terms.toPorts(UDP, WEB)), shortened, true);
    assertJudged(ONE.exempting(Terms.toPorts(UDP, new PortRange(2, 2))), shortened, true);
  }

  @Test
  void aProtocolBehindTooManyExtensionHeadersMatchesAndIsNotExempt() {
    Extension[] nine = new Extension[9];
    java.util.Arrays.fill(nine, Extension.destinationOptions());
    byte[] deep = Frames.extended(1, 2, nine);
    assertJudged(ONE.matching(Terms.protocol(TCP)), deep, true);
    assertJudged(ONE.exempting(Terms.protocol(UDP)), deep, true);
  }

  @Test
  void portsBehindExtensionHeadersAreRead() {
    byte[] frame = Frames.extended(1, 80, Extension.hopByHop(), Extension.destinationOptions());
    assertJudged(ONE.matching(Terms.toPorts(UDP, WEB)), frame, true);
    assertJudged(ONE.matching(Terms.toPorts(UDP, HIGH)), frame, false);
  }

  @Test
  void laterPoliciesSeeWhatEarlierOnesDoNotMatch() {
    Policy web = ONE.matching(Terms.toPorts(TCP, WEB));
    try (VirtualHook hook = hook(web, Policy.packets(1, 2))) {
      assertThat(hook.passing(3, Frames.ports(TCP, 5, 80))).isEqualTo(1);
      assertThat(hook.passing(3, Frames.ports(TCP, 5, 81))).isEqualTo(1);
      assertThat(hook.counters(0).exceedPackets()).isEqualTo(2);
      assertThat(hook.counters(1).exceedPackets()).isEqualTo(2);
    }
  }

  /** Each policy takes the ports of its own number; a packet meets exactly one. */
  @ParameterizedTest
  @ValueSource(ints = {2, 64})
  void ofManyPoliciesAPacketMeetsTheOnesThatMatch(int count) {
    Policy[] policies = new Policy[count];
    for (int i = 0; i < count; i++) {
      policies[i] = ONE.matching(Terms.toPorts(TCP, new PortRange(1000 + i, 1000 + i)));
    }
    try (VirtualHook hook = hook(policies)) {
      for (int i = 0; i < count; i++) {
        assertThat(hook.passing(3, Frames.ports(TCP, 5, 1000 + i))).as("policy %d", i).isOne();
      }
      assertThat(hook.passing(3, Frames.ports(TCP, 5, 999))).isEqualTo(3);
      for (int i = 0; i < count; i++) {
        assertThat(hook.counters(i).exceedPackets()).as("policy %d", i).isEqualTo(2);
      }
    }
  }

  @Test
  void aHookTakes256TermsOfAllKinds() {
    Policy[] policies = new Policy[64];
    for (int i = 0; i < policies.length; i++) {
      policies[i] =
          ONE.matching(
                  Terms.from("10.%d.0.0/16".formatted(i), "fd00:%x::/32".formatted(i)),
                  Terms.toPorts(UDP, new PortRange(1000 + 10 * i, 1009 + 10 * i)))
              .exempting(
                  Terms.from("10.%d.7.0/24".formatted(i)),
                  Terms.fromPorts(UDP, new PortRange(53, 53)));
    }
    try (VirtualHook hook = hook(policies)) {
      byte[] last = Frames.udp("10.63.0.2", 100);
      assertThat(hook.passing(3, last)).isEqualTo(1);
      assertThat(hook.passing(3, Frames.udp("10.63.7.2", 100))).isEqualTo(3);
      assertThat(hook.passing(3, Frames.udp("fd00:3e::2", 100))).isEqualTo(1);
      assertThat(hook.passing(3, Frames.ports(UDP, 5, 1005))).isEqualTo(1);
      assertThat(hook.passing(3, Frames.ports(UDP, 53, 1015))).isEqualTo(3);
      assertThat(hook.counters(63).exceedPackets()).isEqualTo(2);
      assertThat(hook.counters(62).exceedPackets()).isEqualTo(2);
    }
  }

  @Test
  void nestedNetworksOfDifferentTermsAllHold() {
    List<Policy> policies = new ArrayList<>();
    for (int length : List.of(8, 16, 24, 32)) {
      policies.add(Policy.packets(1, 5).matching(Terms.from("10.0.0.0/" + length)));
    }
    policies.add(Policy.packets(1, 5).matching(Terms.to("10.0.0.0/8")));
    try (VirtualHook hook = hook(policies.toArray(new Policy[0]))) {
      assertThat(hook.passes(Frames.udp("10.0.0.0", 100))).isTrue();
      assertThat(hook.passes(Frames.udp("10.0.0.1", 100))).isTrue();
      assertThat(hook.passes(Frames.udp("10.0.1.0", 100))).isTrue();
      assertThat(hook.passes(Frames.udp("11.0.1.0", 100))).isTrue();
      assertThat(List.of(0, 1, 2, 3, 4))
          .extracting(i -> hook.counters(i).conformPackets())
          .containsExactly(3L, 3L, 2L, 1L, 4L);
    }
  }
}

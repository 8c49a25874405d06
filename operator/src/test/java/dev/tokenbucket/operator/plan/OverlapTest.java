// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.Fragment;
import dev.tokenbucket.api.v1alpha1.Icmp;
import dev.tokenbucket.api.v1alpha1.InterfaceSelector;
import dev.tokenbucket.api.v1alpha1.MatchTerm;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.Overlap;
import dev.tokenbucket.api.v1alpha1.TcpFlag;
import dev.tokenbucket.api.v1alpha1.TcpFlags;
import dev.tokenbucket.operator.Policies;
import io.fabric8.kubernetes.api.model.IntOrString;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OverlapTest {
  private static boolean possible(Policies a, Policies b) {
    NodePolicy first = a.entry();
    NodePolicy second = b.entry();
    boolean possible = Overlap.possible(first, second);
    assertThat(Overlap.possible(second, first)).isEqualTo(possible);
    assertThat(Overlap.possible(first, first)).isTrue();
    return possible;
  }

  private static Policies a() {
    return Policies.named("a");
  }

  private static Policies b() {
    return Policies.named("b");
  }

  private static InterfaceSelector name(String name) {
    return new InterfaceSelector(null, name, null, null);
  }

  private static InterfaceSelector pattern(String pattern, String... exclude) {
    return new InterfaceSelector(
        null, null, pattern, exclude.length == 0 ? null : List.of(exclude));
  }

  private static MatchTerm from(String... networks) {
    return new MatchTerm(null, List.of(networks), null, null, null, null);
  }

  private static MatchTerm to(@Nullable String protocol, String... ports) {
    return new MatchTerm(
        protocol == null ? null : new IntOrString(protocol),
        null,
        null,
        null,
        ports.length == 0 ? null : Arrays.stream(ports).map(IntOrString::new).toList(),
        null);
  }

  @Test
  void policiesOnAllTrafficOfOneDirectionOverlapThoseOfTwoDoNot() {
    assertThat(possible(a(), b())).isTrue();
    assertThat(possible(a(), b().direction(Direction.Egress))).isFalse();
  }

  @Test
  void interfacesMayCoincide() {
    assertThat(possible(a().interfaces(name("eth0")), b().interfaces(name("eth1")))).isFalse();
    assertThat(possible(a().interfaces(name("eth0")), b().interfaces(name("eth0")))).isTrue();
    assertThat(possible(a().interfaces(name("eth0")), b())).isTrue();
    assertThat(
            possible(
                a().interfaces(name("eth0"), name("eth1")),
                b().interfaces(name("eth2"), name("eth1"))))
        .isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "eth0,eth*,true",
    "eth0,e?h0,true",
    "eth10,eth?,false",
    "ens3,eth*,false",
    "lo,*,false",
    "a.b,a?b,true",
    "axb,a.b,false"
  })
  void aPatternIsOneOfWholeNames(String name, String pattern, boolean expected) {
    assertThat(possible(a().interfaces(name(name)), b().interfaces(pattern(pattern))))
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "eth*,ens*,false",
    "eth*,eth?,true",
    "eth*,*0,true",
    "*.10,*.20,false",
    "e*,eth*,true"
  })
  void twoPatternsAreApartWhereTheirEndsDiffer(String first, String second, boolean expected) {
    assertThat(possible(a().interfaces(pattern(first)), b().interfaces(pattern(second))))
        .isEqualTo(expected);
  }

  @Test
  void anExcludedNameIsNotMeant() {
    assertThat(possible(a().interfaces(name("eth7")), b().interfaces(pattern("eth*", "eth7"))))
        .isFalse();
  }

  @Test
  void networksIntersectWhereOneHoldsTheOther() {
    assertThat(possible(a().match(from("10.0.0.0/8")), b().match(from("10.1.0.0/16")))).isTrue();
    assertThat(possible(a().match(from("10.0.0.0/16")), b().match(from("10.1.0.0/16")))).isFalse();
    assertThat(possible(a().match(from("2001:db8::/32")), b().match(from("10.0.0.0/8")))).isFalse();
    assertThat(possible(a().match(from("0.0.0.0/0")), b().match(from("192.0.2.1/32")))).isTrue();
    assertThat(possible(a().match(from("10.0.0.0/8")), b())).isTrue();
  }

  @Test
  void protocolsAndPortsIntersect() {
    assertThat(possible(a().match(to("TCP")), b().match(to("UDP")))).isFalse();
    assertThat(possible(a().match(to("TCP", "80")), b().match(to(null, "1-100")))).isTrue();
    assertThat(possible(a().match(to("TCP", "80")), b().match(to("TCP", "81-90")))).isFalse();
    assertThat(possible(a().match(to("ICMP")), b().match(to(null, "80")))).isFalse();
    assertThat(possible(a().match(to(null, "80")), b().match(to(null, "80")))).isTrue();
  }

  private static boolean possible(MatchTerm one, MatchTerm other) {
    return possible(a().match(one), b().match(other));
  }

  private static MatchTerm flags(@Nullable List<TcpFlag> set, @Nullable List<TcpFlag> unset) {
    return header(new TcpFlags(set, unset), null, null, null, null);
  }

  private static MatchTerm header(
      @Nullable TcpFlags flags,
      @Nullable Icmp icmp,
      @Nullable List<Integer> dscps,
      @Nullable String length,
      @Nullable Fragment fragment) {
    return new MatchTerm(
        icmp == null ? null : new IntOrString("ICMP"),
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        flags,
        icmp,
        dscps,
        length == null ? null : List.of(new IntOrString(length)),
        fragment);
  }

  @Test
  void whatHeadersSayIntersects() {
    List<TcpFlag> syn = List.of(TcpFlag.SYN);
    List<TcpFlag> ack = List.of(TcpFlag.ACK);
    assertThat(possible(flags(syn, null), flags(ack, null))).isTrue();
    assertThat(possible(flags(syn, ack), flags(ack, null))).isFalse();
    assertThat(possible(flags(syn, ack), to("UDP"))).isFalse();

    MatchTerm ping = header(null, new Icmp(8, null), null, null, null);
    assertThat(possible(ping, header(null, new Icmp(8, 1), null, null, null))).isTrue();
    assertThat(possible(ping, header(null, new Icmp(0, null), null, null, null))).isFalse();

    MatchTerm some = header(null, null, List.of(0, 46), "40-100", Fragment.First);
    assertThat(possible(some, header(null, null, List.of(46), "100", Fragment.Any))).isTrue();
    assertThat(possible(some, header(null, null, List.of(8), null, null))).isFalse();
    assertThat(possible(some, header(null, null, null, "101-200", null))).isFalse();
    assertThat(possible(some, header(null, null, null, null, Fragment.Later))).isFalse();
    assertThat(possible(some, header(null, null, null, null, Fragment.None))).isFalse();
    assertThat(possible(some, to("UDP"))).isTrue();
  }

  @Test
  void oneTermInCommonIsEnough() {
    assertThat(
            possible(
                a().match(to("UDP"), from("10.0.0.0/8")), b().match(to("TCP"), to("UDP", "53"))))
        .isTrue();
  }
}

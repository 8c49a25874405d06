// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class AddressSetTest {
  /** Few networks, so that some hold others. */
  @Provide
  Arbitrary<List<String>> cidrs() {
    Arbitrary<String> ipv4 =
        Combinators.combine(
                Arbitraries.integers().between(0, 3),
                Arbitraries.integers().between(0, 255),
                Arbitraries.integers().between(0, 32))
            .as((net, host, length) -> masked("10.%d.0.%d/%d".formatted(net, host, length)));
    Arbitrary<String> ipv6 =
        Combinators.combine(
                Arbitraries.integers().between(0, 0xffff),
                Arbitraries.integers().between(0, 3),
                Arbitraries.integers().between(0, 128))
            .as((net, host, length) -> masked("2001:%x::%x/%d".formatted(net, host, length)));
    return Arbitraries.oneOf(ipv4, ipv6).list().ofMaxSize(6);
  }

  private static String masked(String text) {
    return Cidr.parse(text).orElseThrow().masked().toString();
  }

  @Property
  void twoSetsMeetWhereAPairOfTheirNetworksDoes(
      @ForAll("cidrs") List<String> these, @ForAll("cidrs") List<String> those) {
    boolean expected = these.stream().anyMatch(a -> those.stream().anyMatch(b -> meet(a, b)));
    assertThat(AddressSet.of(these).meets(AddressSet.of(those))).isEqualTo(expected);
    assertThat(AddressSet.of(those).meets(AddressSet.of(these))).isEqualTo(expected);
  }

  private static boolean meet(String a, String b) {
    Cidr first = Cidr.parse(a).orElseThrow();
    Cidr second = Cidr.parse(b).orElseThrow();
    int shared = Math.min(first.prefixLength(), second.prefixLength());
    return first.address().getClass().equals(second.address().getClass())
        && new Cidr(first.address(), shared)
            .masked()
            .equals(new Cidr(second.address(), shared).masked());
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.failsafe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.Cidr;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class PeerNetworksProperties {
  private static Cidr host(byte[] bytes) {
    try {
      return new Cidr(InetAddress.getByAddress(bytes), 8 * bytes.length);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private static Cidr ipv4(int first, int second, int third, int fourth) {
    return host(new byte[] {(byte) first, (byte) second, (byte) third, (byte) fourth});
  }

  /** Fleets from a rack to more networks than fit, in a few sites or spread all over. */
  @Provide
  Arbitrary<List<Cidr>> fleets() {
    Arbitrary<Integer> any = Arbitraries.integers().between(0, 255);
    Arbitrary<Cidr> compact =
        Combinators.combine(any, any).as((third, fourth) -> ipv4(10, third % 4, third, fourth));
    Arbitrary<Cidr> spread =
        Combinators.combine(Arbitraries.integers().between(1, 223), any, any, any)
            .as(PeerNetworksProperties::ipv4);
    Arbitrary<Cidr> ipv6 =
        Arbitraries.bytes()
            .array(byte[].class)
            .ofSize(16)
            .map(
                bytes -> {
                  bytes[0] = 0x20;
                  return host(bytes);
                });
    return Arbitraries.of(List.of(compact, spread, ipv6)).flatMap(one -> one.list().ofMaxSize(900));
  }

  @Property(tries = 60)
  void thereAreFewAndEachAddressIsInOne(@ForAll("fleets") List<Cidr> addresses) {
    List<Cidr> networks = PeerNetworks.aggregate(addresses);
    assertThat(networks).hasSizeLessThanOrEqualTo(PeerNetworks.MOST).doesNotHaveDuplicates();
    assertThat(networks).allSatisfy(each -> assertThat(each.masked()).isEqualTo(each));
    assertThat(networks)
        .allSatisfy(each -> assertThat(each.prefixLength()).isGreaterThanOrEqualTo(8));
    boolean dropped =
        networks.size() == PeerNetworks.MOST
            && networks.stream().anyMatch(each -> !Addresses.isIpv4(each));
    assertThat(addresses)
        .allSatisfy(
            address ->
                assertThat(
                        dropped || networks.stream().anyMatch(n -> Addresses.contains(n, address)))
                    .isTrue());
  }

  @Property(tries = 60)
  void theOrderDoesNotMatterAndAKnownNetworkChangesNothing(
      @ForAll("fleets") List<Cidr> addresses, @ForAll long seed) {
    List<Cidr> networks = PeerNetworks.aggregate(addresses);
    List<Cidr> more = new ArrayList<>(addresses);
    if (!addresses.isEmpty()) {
      byte[] neighbour = addresses.get(0).address().getAddress();
      neighbour[neighbour.length - 1] ^= 1;
      more.add(host(neighbour));
    }
    Collections.shuffle(more, new Random(seed));
    assertThat(PeerNetworks.aggregate(more)).isEqualTo(networks);
  }

  @Property(tries = 60)
  void whatIsContainedGoesAndNothingElse(@ForAll("fleets") List<Cidr> addresses) {
    List<Cidr> all = new ArrayList<>(addresses);
    all.addAll(PeerNetworks.aggregate(addresses.subList(0, addresses.size() / 2)));
    List<Cidr> kept = PeerNetworks.withoutContained(all);
    assertThat(all)
        .allSatisfy(each -> assertThat(kept).anyMatch(outer -> Addresses.contains(outer, each)));
    for (Cidr one : kept) {
      assertThat(kept).filteredOn(other -> Addresses.contains(other, one)).containsExactly(one);
    }
  }

  @Example
  void networksAreWidenedByRule() {
    List<Cidr> addresses = new ArrayList<>();
    for (int i = 0; i < 257; i++) {
      addresses.add(ipv4(10, i / 256, i % 256, 7));
    }
    assertThat(PeerNetworks.aggregate(addresses.subList(0, 256)))
        .hasSize(256)
        .allSatisfy(each -> assertThat(each.prefixLength()).isEqualTo(24));
    assertThat(PeerNetworks.aggregate(addresses))
        .hasSize(17)
        .allSatisfy(each -> assertThat(each.prefixLength()).isEqualTo(20));
  }

  @Example
  void aLieIsNoAddress() {
    for (String text :
        List.of(
            "0.0.0.0",
            "0.1.2.3",
            "127.0.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "169.254.1.1",
            "::",
            "::1",
            "fe80::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "fe80::1%eth0",
            "10.0.0.0/8",
            "0.0.0.0/0",
            "10.0.0",
            "node-1",
            "")) {
      assertThat(Addresses.host(text)).as(text).isEmpty();
    }
    assertThat(Addresses.host(null)).isEmpty();
    assertThat(Addresses.host("10.1.2.3")).hasToString("Optional[10.1.2.3/32]");
    assertThat(Addresses.host("fd00::7")).hasToString("Optional[fd00::7/128]");
  }
}

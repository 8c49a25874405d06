// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CidrTest {
  @ParameterizedTest
  @CsvSource({
    "10.0.0.0/8,10.0.0.0/8",
    "0.0.0.0/0,0.0.0.0/0",
    "192.0.2.1/32,192.0.2.1/32",
    "::/0,::/0",
    "2001:DB8:0:0:0:0:0:0/32,2001:db8::/32",
    "64:ff9b::192.0.2.0/120,64:ff9b::c000:200/120"
  })
  void textIsCanonical(String text, String canonical) {
    assertThat(Cidr.parse(text)).map(Cidr::toString).contains(canonical);
    assertThat(Cidr.parse(canonical)).isEqualTo(Cidr.parse(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "/",
        "10.0.0.0",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/08",
        "10.0.0.0/+8",
        "10.0.0/8",
        "010.0.0.0/8",
        "10.0.0.256/8",
        "10.0.0.0 /8",
        "::/129",
        ":::/0",
        "1::2::3/64",
        "02001::/16",
        "::ffff:192.0.2.0/120",
        "::ffff:c000:200/120",
        "fe80::%eth0/64",
        "host/8"
      })
  void whatIsNone(String text) {
    assertThat(Cidr.parse(text)).isEmpty();
  }

  @Property
  void maskingKeepsThePrefixAndZeroesTheRestOfIpv4(
      @ForAll @Size(4) byte[] address, @ForAll @IntRange(max = 32) int prefixLength)
      throws UnknownHostException {
    assertMasked(address, prefixLength);
  }

  @Property
  void maskingKeepsThePrefixAndZeroesTheRestOfIpv6(
      @ForAll @Size(16) byte[] address, @ForAll @IntRange(max = 128) int prefixLength)
      throws UnknownHostException {
    // Such an address is an IPv4 one to Java.
    address[0] |= 1;
    assertMasked(address, prefixLength);
  }

  private static void assertMasked(byte[] address, int prefixLength) throws UnknownHostException {
    Cidr cidr = new Cidr(InetAddress.getByAddress(address), prefixLength);
    BigInteger mask =
        BigInteger.ONE
            .shiftLeft(8 * address.length)
            .subtract(BigInteger.ONE.shiftLeft(8 * address.length - prefixLength));

    Cidr masked = cidr.masked();

    assertThat(new BigInteger(1, masked.address().getAddress()))
        .isEqualTo(new BigInteger(1, address).and(mask));
    assertThat(masked.masked()).isEqualTo(masked);
    assertThat(Cidr.parse(cidr.toString())).contains(cidr);
  }
}

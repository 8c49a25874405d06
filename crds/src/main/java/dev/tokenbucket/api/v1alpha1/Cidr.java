// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.google.common.net.InetAddresses;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An address and a prefix length, read as the API's rules read it (Go's {@code netip.ParsePrefix}):
 * no zone, no leading zeros, no IPv4 address written as IPv6.
 *
 * @param address as given: bits after the prefix length may be set
 * @param prefixLength from 0 to 32 for IPv4, to 128 for IPv6
 */
public record Cidr(InetAddress address, int prefixLength) {
  private static final Pattern TEXT = Pattern.compile("([0-9a-fA-F:.]{2,45})/(0|[1-9][0-9]{0,2})");

  /** Parses a CIDR; empty if the text is none. */
  public static Optional<Cidr> parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches() || !InetAddresses.isInetAddress(matcher.group(1))) {
      return Optional.empty();
    }
    InetAddress address = InetAddresses.forString(matcher.group(1));
    int prefixLength = Integer.parseInt(matcher.group(2));
    boolean mapped = address instanceof Inet4Address && matcher.group(1).indexOf(':') >= 0;
    return mapped || prefixLength > 8 * address.getAddress().length
        ? Optional.empty()
        : Optional.of(new Cidr(address, prefixLength));
  }

  /** This CIDR with all bits after the prefix length zero. */
  public Cidr masked() {
    byte[] bytes = address.getAddress();
    for (int bit = prefixLength; bit < 8 * bytes.length; bit++) {
      bytes[bit / 8] &= (byte) ~(0x80 >> bit % 8);
    }
    return new Cidr(address(bytes), prefixLength);
  }

  private static InetAddress address(byte[] bytes) {
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("neither 4 nor 16 bytes", e);
    }
  }

  /** Canonical: equal CIDRs have equal texts; IPv6 by RFC 5952. */
  @Override
  public String toString() {
    return InetAddresses.toAddrString(address) + "/" + prefixLength;
  }
}

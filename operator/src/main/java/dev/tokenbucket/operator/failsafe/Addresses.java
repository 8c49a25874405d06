// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.failsafe;

import com.google.common.net.InetAddresses;
import dev.tokenbucket.api.v1alpha1.Cidr;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The addresses that may be exempt at all. The check is strict because anybody who can write a Node
 * or an EndpointSlice can put false addresses into it.
 */
final class Addresses {
  /** IPv4 before IPv6, then by address, then wider networks first. */
  static final Comparator<Cidr> ORDER =
      Comparator.comparingInt((Cidr cidr) -> cidr.address().getAddress().length)
          .thenComparing(cidr -> cidr.address().getAddress(), Arrays::compareUnsigned)
          .thenComparingInt(Cidr::prefixLength);

  private static final int FIRST_OF_CLASS_E = 240;

  private Addresses() {}

  /** A host's unicast address as a network of its own; empty if the text is not one. */
  static Optional<Cidr> host(@Nullable String text) {
    if (text == null || !InetAddresses.isInetAddress(text) || text.indexOf('%') >= 0) {
      return Optional.empty();
    }
    InetAddress address = InetAddresses.forString(text);
    byte[] bytes = address.getAddress();
    boolean mapped = bytes.length == 4 && text.indexOf(':') >= 0;
    return mapped || !isUnicast(address)
        ? Optional.empty()
        : Optional.of(new Cidr(address, 8 * bytes.length));
  }

  private static boolean isUnicast(InetAddress address) {
    byte[] bytes = address.getAddress();
    int first = Byte.toUnsignedInt(bytes[0]);
    boolean reserved =
        address instanceof Inet4Address ? first == 0 || first >= FIRST_OF_CLASS_E : first == 0;
    return !reserved
        && !address.isAnyLocalAddress()
        && !address.isLoopbackAddress()
        && !address.isMulticastAddress()
        && !address.isLinkLocalAddress();
  }

  /** The network with this prefix length around an address or a network. */
  static Cidr network(Cidr of, int prefixLength) {
    return new Cidr(of.address(), Math.min(prefixLength, of.prefixLength())).masked();
  }

  static boolean isIpv4(Cidr cidr) {
    return cidr.address() instanceof Inet4Address;
  }

  static boolean contains(Cidr outer, Cidr inner) {
    return isIpv4(outer) == isIpv4(inner)
        && outer.prefixLength() <= inner.prefixLength()
        && network(inner, outer.prefixLength()).equals(outer);
  }
}

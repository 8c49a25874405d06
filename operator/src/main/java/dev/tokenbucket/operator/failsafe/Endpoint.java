// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.failsafe;

import dev.tokenbucket.api.v1alpha1.Cidr;
import java.util.Comparator;
import java.util.Optional;

/**
 * An API server at one address.
 *
 * @param address the address, as a network of one host
 * @param port the TCP port, from 1 to 65535
 */
record Endpoint(Cidr address, int port) {
  static final Comparator<Endpoint> ORDER =
      Comparator.comparing(Endpoint::address, Addresses.ORDER).thenComparingInt(Endpoint::port);

  private static final int DEFAULT_PORT = 6443;
  private static final int MAX_PORT = 65_535;

  static boolean isPort(long port) {
    return port >= 1 && port <= MAX_PORT;
  }

  /** Reads ADDRESS, IPV4:PORT or [IPV6]:PORT; the default port is 6443. */
  static Optional<Endpoint> parse(String text) {
    Optional<Cidr> bare = Addresses.host(text);
    if (bare.isPresent()) {
      return Optional.of(new Endpoint(bare.get(), DEFAULT_PORT));
    }
    boolean bracketed = text.startsWith("[");
    int end = text.lastIndexOf(':');
    if (end < 0 || !text.substring(end + 1).matches("[0-9]{1,5}")) {
      return Optional.empty();
    }
    String address = text.substring(0, end);
    if (bracketed != address.endsWith("]") || bracketed != address.contains(":")) {
      return Optional.empty();
    }
    int port = Integer.parseInt(text.substring(end + 1));
    return Addresses.host(bracketed ? address.substring(1, address.length() - 1) : address)
        .filter(host -> isPort(port))
        .map(host -> new Endpoint(host, port));
  }

  /** The endpoint as node states contain it. */
  @Override
  public String toString() {
    String host = address.toString().replaceAll("/.*", "");
    return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
  }
}

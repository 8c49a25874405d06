// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.match;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.tokenbucket.agent.layout.HookLimit;
import dev.tokenbucket.api.Texts;
import dev.tokenbucket.api.v1alpha1.Cidr;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The traffic that a node needs to stay in its cluster, beyond the kinds that need no peer: the
 * peers of kubelet and overlay, and the address of the API server.
 *
 * @param peers networks of the nodes and of the control plane; if empty, kubelet and overlay are
 *     not exempt
 * @param kubeletPort a TCP port
 * @param apiServers the API server's real addresses, not the service's
 * @param overlayPorts UDP destination ports of the overlay's control traffic
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record FailsafeSettings(
    List<String> peers, int kubeletPort, List<ApiServer> apiServers, List<Integer> overlayPorts) {
  /** The most distinct ports that the classifier compares. */
  public static final int MAX_PORTS = HookLimit.MAX_FAILSAFE_PORTS;

  public static final int DEFAULT_KUBELET_PORT = 10_250;

  /** The most networks, or API servers, that a description names. */
  private static final int NAMED = 16;

  /** Only the failsafes that need no peer. */
  public static final FailsafeSettings LINK_ONLY =
      new FailsafeSettings(List.of(), DEFAULT_KUBELET_PORT, List.of(), List.of());

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException naming the value and what is allowed
   */
  public FailsafeSettings {
    peers = peers == null ? List.of() : peers.stream().map(FailsafeSettings::network).toList();
    apiServers = apiServers == null ? List.of() : List.copyOf(apiServers);
    overlayPorts = overlayPorts == null ? List.of() : List.copyOf(overlayPorts);
    checkPort("failsafe kubelet port", kubeletPort);
    overlayPorts.forEach(port -> checkPort("failsafe overlay port", port));
    long ports =
        Stream.concat(
                Stream.of(kubeletPort),
                Stream.concat(apiServers.stream().map(ApiServer::port), overlayPorts.stream()))
            .distinct()
            .count();
    if (ports > MAX_PORTS) {
      throw new IllegalArgumentException(
          "failsafes have " + ports + " distinct ports; at most " + MAX_PORTS + " are allowed");
    }
  }

  /** An API server at one address. */
  public record ApiServer(String address, int port) {
    private static final int DEFAULT_PORT = 6443;

    /**
     * Reads an option's value.
     *
     * @param text an address, or an address and a port: 10.0.0.1, 10.0.0.1:6443, fd00::1,
     *     [fd00::1]:6443
     * @throws IllegalArgumentException if the text is neither
     */
    public static ApiServer parse(String text) {
      boolean bracketed = text.startsWith("[");
      int end = bracketed ? text.indexOf(']') : text.indexOf(':');
      boolean bareIpv6 = !bracketed && end >= 0 && text.indexOf(':', end + 1) >= 0;
      if (bareIpv6 || (!bracketed && end < 0)) {
        return of(text, text, DEFAULT_PORT);
      }
      if (end < 0) {
        throw refused(text);
      }
      String address = bracketed ? text.substring(1, end) : text.substring(0, end);
      String behind = text.substring(bracketed ? end + 1 : end);
      if (behind.isEmpty()) {
        return of(text, address, DEFAULT_PORT);
      }
      if (!behind.matches(":[0-9]{1,5}")) {
        throw refused(text);
      }
      return of(text, address, Integer.parseInt(behind.substring(1)));
    }

    private static ApiServer of(String text, String address, int port) {
      ApiServer server = new ApiServer(address, port);
      checkPort("failsafe API server port", port);
      if (Cidr.parse(server.network()).isEmpty()) {
        throw refused(text);
      }
      return server;
    }

    private static IllegalArgumentException refused(String text) {
      return new IllegalArgumentException(
          "failsafe API server \"" + text + "\": must be ADDRESS, IPV4:PORT or [IPV6]:PORT");
    }

    String network() {
      return address + (address.indexOf(':') >= 0 ? "/128" : "/32");
    }
  }

  /** One line per exempt kind of traffic, for people. */
  public List<String> describe() {
    List<String> lines = new ArrayList<>();
    lines.add("ARP; IPv6 neighbour discovery (ICMPv6 types 133-137 with hop limit 255)");
    lines.add("DHCPv4 (UDP 67 and 68), DHCPv6 (UDP to port 546, and from 546 to 547)");
    lines.add("membership of multicast groups (MLD and IGMP with hop limit 1)");
    lines.add("path MTU discovery (ICMP type 3 code 4, ICMPv6 type 2)");
    if (!peers.isEmpty()) {
      lines.add("kubelet: TCP " + kubeletPort + " with " + Texts.first(NAMED, peers));
      overlayPorts.forEach(
          port -> lines.add("overlay: UDP " + port + " with " + Texts.first(NAMED, peers)));
    }
    apiServers.stream()
        .limit(NAMED)
        .forEach(
            server -> lines.add("API server: TCP " + server.port() + " at " + server.address()));
    if (apiServers.size() > NAMED) {
      int more = apiServers.size() - NAMED;
      lines.add("API server: at " + more + (more == 1 ? " more address" : " more addresses"));
    }
    return List.copyOf(lines);
  }

  private static String network(String text) {
    return Cidr.parse(text)
        .map(cidr -> cidr.masked().toString())
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "failsafe peer \"" + text + "\": must be a CIDR such as 10.0.0.0/24"));
  }

  private static void checkPort(String what, int port) {
    if (port < 1 || port > 65_535) {
      throw new IllegalArgumentException(what + " " + port + ": must be from 1 to 65535");
    }
  }
}

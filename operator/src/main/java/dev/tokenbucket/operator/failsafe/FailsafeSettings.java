// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.failsafe;

import dev.tokenbucket.api.v1alpha1.Cidr;
import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The operator's configuration of failsafes.
 *
 * @param discover whether to discover nodes and API servers in the cluster
 * @param peers networks that are always peers
 * @param apiServers addresses that are always exempt
 * @param overlayPorts UDP ports
 * @param kubeletPort the kubelet's port on every node; empty to use each Node's own
 */
public record FailsafeSettings(
    boolean discover,
    List<Cidr> peers,
    List<Endpoint> apiServers,
    List<Integer> overlayPorts,
    OptionalInt kubeletPort) {
  /** No discovery and no exemption. */
  public static final FailsafeSettings NONE =
      new FailsafeSettings(false, List.of(), List.of(), List.of(), OptionalInt.empty());

  /**
   * The most configured networks or addresses, so that a node state has space left for discovered
   * ones.
   */
  private static final int MOST_CONFIGURED = 64;

  /** One port is the kubelet's, and at least one must be left for API servers. */
  private static final int MOST_OVERLAY_PORTS = NodeFailsafe.MAX_PORTS - 2;

  /**
   * Reads the environment's values.
   *
   * @throws IllegalArgumentException naming variable, value and what is allowed
   */
  public static FailsafeSettings parse(
      boolean discover,
      Collection<String> peers,
      Collection<String> apiServers,
      Collection<String> overlayPorts,
      Optional<String> kubeletPort) {
    String peersName = "TOKENBUCKET_FAILSAFE_PEERS";
    String serversName = "TOKENBUCKET_FAILSAFE_API_SERVERS";
    String overlayName = "TOKENBUCKET_FAILSAFE_OVERLAY_PORTS";
    limit(peersName, peers, MOST_CONFIGURED);
    limit(serversName, apiServers, MOST_CONFIGURED / 2);
    List<Integer> overlay = new ArrayList<>();
    overlayPorts.forEach(each -> overlay.add(port(overlayName, each)));
    List<Integer> distinct = overlay.stream().distinct().sorted().toList();
    limit(overlayName, distinct, MOST_OVERLAY_PORTS);
    return new FailsafeSettings(
        discover,
        peers.stream().map(each -> network(peersName, each)).toList(),
        apiServers.stream().map(each -> endpoint(serversName, each)).toList(),
        distinct,
        kubeletPort.isEmpty()
            ? OptionalInt.empty()
            : OptionalInt.of(port("TOKENBUCKET_FAILSAFE_KUBELET_PORT", kubeletPort.get())));
  }

  private static void limit(String name, Collection<?> values, int most) {
    if (values.size() > most) {
      throw new IllegalArgumentException(
          name + " has " + values.size() + " values: at most " + most + " are allowed");
    }
  }

  private static Cidr network(String name, String text) {
    return Cidr.parse(text.strip())
        .map(Cidr::masked)
        .filter(cidr -> cidr.prefixLength() > 0)
        .orElseThrow(
            () ->
                refused(
                    name,
                    text,
                    "must be a network such as 10.0.0.0/24, with a prefix length of at least 1"));
  }

  private static Endpoint endpoint(String name, String text) {
    return Endpoint.parse(text.strip())
        .orElseThrow(
            () -> refused(name, text, "must be a unicast ADDRESS, IPV4:PORT or [IPV6]:PORT"));
  }

  private static int port(String name, String text) {
    String digits = text.strip();
    if (!digits.matches("[0-9]{1,5}") || !Endpoint.isPort(Integer.parseInt(digits))) {
      throw refused(name, text, "must be a port from 1 to 65535");
    }
    return Integer.parseInt(digits);
  }

  private static IllegalArgumentException refused(String name, String text, String allowed) {
    return new IllegalArgumentException(name + ": \"" + text + "\" " + allowed);
  }
}

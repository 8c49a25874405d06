// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The traffic that a node needs to stay in its cluster, as discovered by the operator or
 * configured.
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record NodeFailsafe(
    @JsonPropertyDescription(
            "Networks of the nodes and of the control plane; traffic with them keeps"
                + " kubelet and overlay reachable.")
        @Size(max = NodeFailsafe.MAX_PEERS)
        List<String> peers,
    @JsonPropertyDescription("The kubelet's TCP port; absent: 10250.")
        @Nullable Integer kubeletPort,
    @JsonPropertyDescription(
            "The API servers' real addresses, not the service's: IPV4:PORT or [IPV6]:PORT.")
        @Size(max = NodeFailsafe.MAX_API_SERVERS)
        List<String> apiServers,
    @JsonPropertyDescription("UDP ports of the overlay; at most 8 distinct ports in all.")
        @Size(max = 8)
        List<Integer> overlayPorts) {
  /**
   * The most networks: 256 of nodes, and networks that are configured or belong to the control
   * plane.
   */
  public static final int MAX_PEERS = 384;

  /** The most addresses of API servers. */
  public static final int MAX_API_SERVERS = 64;

  /** The most distinct ports, of all three kinds together. */
  public static final int MAX_PORTS = 8;

  /** The kubelet's default port. */
  public static final int DEFAULT_KUBELET_PORT = 10_250;

  /** Sets lists that JSON omits to empty. */
  public NodeFailsafe {
    peers = NodePolicy.orEmpty(peers);
    apiServers = NodePolicy.orEmpty(apiServers);
    overlayPorts = NodePolicy.orEmpty(overlayPorts);
  }

  /** A copy for a node whose kubelet listens on this port. */
  public NodeFailsafe withKubeletPort(@Nullable Integer port) {
    return new NodeFailsafe(peers, port, apiServers, overlayPorts);
  }
}

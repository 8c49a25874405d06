package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a node needs to stay in its cluster, as the operator found or was told it. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record NodeFailsafe(
    @JsonPropertyDescription(
            "Networks of the nodes and of the control plane: with them kubelet and overlay stay"
                + " reachable.")
        @Size(max = NodeFailsafe.MAX_PEERS)
        List<String> peers,
    @JsonPropertyDescription("The kubelet's TCP port; absent: 10250.")
        @Nullable Integer kubeletPort,
    @JsonPropertyDescription(
            "The API servers' real addresses, not the service's: IPV4:PORT or [IPV6]:PORT.")
        @Size(max = NodeFailsafe.MAX_API_SERVERS)
        List<String> apiServers,
    @JsonPropertyDescription(
            "UDP ports by which the overlay is reached; at most 8 with the others.")
        @Size(max = 8)
        List<Integer> overlayPorts) {
  /** Networks: 256 of nodes, and those that are configured or of the control plane. */
  public static final int MAX_PEERS = 384;

  /** Addresses of API servers. */
  public static final int MAX_API_SERVERS = 64;

  /** Distinct ports of all three together. */
  public static final int MAX_PORTS = 8;

  /** Where the kubelet listens unless it is told otherwise. */
  public static final int DEFAULT_KUBELET_PORT = 10_250;

  /** Lists that JSON leaves out are empty. */
  public NodeFailsafe {
    peers = NodePolicy.orEmpty(peers);
    apiServers = NodePolicy.orEmpty(apiServers);
    overlayPorts = NodePolicy.orEmpty(overlayPorts);
  }

  /** The same for a node whose kubelet listens elsewhere. */
  public NodeFailsafe withKubeletPort(@Nullable Integer port) {
    return new NodeFailsafe(peers, port, apiServers, overlayPorts);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.failsafe;

import dev.tokenbucket.api.v1alpha1.Cidr;
import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeAddress;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Determines the exemptions on the nodes, from the Nodes' addresses and the endpoints of the
 * service {@code kubernetes}. All its state can be rebuilt from the API. Not thread-safe.
 */
public final class FailsafeDiscovery {
  /**
   * The number of addresses that a Node is expected to have. Twice as many are accepted; further
   * ones are false or not needed.
   */
  private static final int ADDRESSES_OF_A_NODE = 2;

  private final FailsafeSettings settings;
  private final Map<String, Set<Cidr>> nodes = new HashMap<>();
  private final Map<String, Set<Endpoint>> slices = new HashMap<>();
  private @Nullable NodeFailsafe made;

  public FailsafeDiscovery(FailsafeSettings settings) {
    this.settings = settings;
  }

  /** The port of a Node's kubelet; null if it is the default port. */
  public @Nullable Integer kubeletPort(Node node) {
    if (settings.kubeletPort().isPresent()) {
      return usual(settings.kubeletPort().getAsInt());
    }
    if (!settings.discover()
        || node.getStatus() == null
        || node.getStatus().getDaemonEndpoints() == null
        || node.getStatus().getDaemonEndpoints().getKubeletEndpoint() == null) {
      return null;
    }
    Integer port = node.getStatus().getDaemonEndpoints().getKubeletEndpoint().getPort();
    return port == null || !Endpoint.isPort(port) ? null : usual(port);
  }

  private static @Nullable Integer usual(int port) {
    return port == NodeFailsafe.DEFAULT_KUBELET_PORT ? null : port;
  }

  /** Records a Node; returns whether that changes the exemptions. */
  public boolean put(Node node) {
    if (!settings.discover()) {
      return false;
    }
    Set<Cidr> networks = new HashSet<>();
    Stream<Cidr> addresses =
        node.getStatus() == null ? Stream.of() : addresses(node.getStatus().getAddresses());
    addresses.limit(2 * ADDRESSES_OF_A_NODE).forEach(each -> networks.add(PeerNetworks.of(each)));
    return changed(!networks.equals(nodes.put(node.getMetadata().getName(), networks)));
  }

  private static Stream<Cidr> addresses(@Nullable List<NodeAddress> all) {
    return all == null
        ? Stream.of()
        : all.stream()
            .filter(each -> "InternalIP".equals(each.getType()))
            .flatMap(each -> Addresses.host(each.getAddress()).stream());
  }

  /** Removes a Node; returns whether that changes the exemptions. */
  public boolean removeNode(String name) {
    return changed(nodes.remove(name) != null);
  }

  /**
   * Records a slice of the service {@code kubernetes}; returns whether that changes the exemptions.
   */
  public boolean put(EndpointSlice slice) {
    Set<Endpoint> found = endpoints(slice);
    return changed(!found.equals(slices.put(slice.getMetadata().getName(), found)));
  }

  /** Removes a slice; returns whether that changes the exemptions. */
  public boolean removeSlice(String name) {
    return changed(slices.remove(name) != null);
  }

  private static Set<Endpoint> endpoints(EndpointSlice slice) {
    List<Integer> ports =
        slice.getPorts() == null
            ? List.of()
            : slice.getPorts().stream()
                .filter(port -> port.getProtocol() == null || port.getProtocol().equals("TCP"))
                .map(port -> port.getPort())
                .filter(port -> port != null && Endpoint.isPort(port))
                .toList();
    Set<Endpoint> found = new HashSet<>();
    if (slice.getEndpoints() != null) {
      slice.getEndpoints().stream()
          .flatMap(endpoint -> endpoint.getAddresses().stream())
          .flatMap(address -> Addresses.host(address).stream())
          .forEach(host -> ports.forEach(port -> found.add(new Endpoint(host, port))));
    }
    return found;
  }

  /**
   * Whether a change of the sources changes the exemptions.
   *
   * @param source whether the sources have changed
   */
  private boolean changed(boolean source) {
    if (!source) {
      return false;
    }
    NodeFailsafe before = made;
    made = null;
    return !Objects.equals(before, common());
  }

  /**
   * The exemptions on every node, except the kubelet's port; null if there are none. Returns the
   * same instance as long as nothing changes.
   */
  public @Nullable NodeFailsafe common() {
    if (made == null) {
      made = make();
    }
    return made.peers().isEmpty() && made.apiServers().isEmpty() ? null : made;
  }

  private NodeFailsafe make() {
    List<Endpoint> servers = fitting();
    List<Cidr> peers = new ArrayList<>(settings.peers());
    peers.addAll(PeerNetworks.aggregate(allNetworks()));
    servers.forEach(server -> peers.add(server.address()));
    return new NodeFailsafe(
        texts(PeerNetworks.withoutContained(peers)),
        null,
        texts(servers),
        peers.isEmpty() ? List.of() : settings.overlayPorts());
  }

  private Set<Cidr> allNetworks() {
    Set<Cidr> all = new HashSet<>();
    nodes.values().forEach(all::addAll);
    return all;
  }

  /**
   * The API servers that fit into a node state, configured ones first. The number of their distinct
   * ports is limited, because the classifier compares only a few ports, including the other
   * failsafes'.
   */
  private List<Endpoint> fitting() {
    TreeSet<Endpoint> found = new TreeSet<>(Endpoint.ORDER);
    slices.values().forEach(found::addAll);
    Set<Integer> ports = new HashSet<>(settings.overlayPorts());
    // The kubelet's port may differ between nodes, but each node has only one.
    int kubelet = 1;
    TreeSet<Endpoint> fit = new TreeSet<>(Endpoint.ORDER);
    Stream.concat(settings.apiServers().stream(), found.stream())
        .forEach(
            each -> {
              boolean room = ports.size() + kubelet < NodeFailsafe.MAX_PORTS;
              if (fit.size() < NodeFailsafe.MAX_API_SERVERS
                  && (room || ports.contains(each.port()))) {
                ports.add(each.port());
                fit.add(each);
              }
            });
    return List.copyOf(fit);
  }

  private static List<String> texts(Collection<?> all) {
    return all.stream().map(Object::toString).toList();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.match;

import dev.tokenbucket.agent.kernel.MapContents;
import dev.tokenbucket.agent.kernel.MapContents.Element;
import dev.tokenbucket.agent.layout.FailsafeBy;
import dev.tokenbucket.agent.layout.FailsafeKeyLayout;
import dev.tokenbucket.agent.layout.HookConfigurationLayout;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.IpProtocol;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The failsafes' services and peers, in the form that the classifier looks up on one hook
 * (failsafe.h).
 */
public final class FailsafePeers {
  private static final int TCP = IpProtocol.TCP.number();
  private static final int UDP = IpProtocol.UDP.number();

  /** Bits of port, protocol and version in front of an address in a key. */
  private static final int SERVICE_BITS = 32;

  private static final int BY_DESTINATION_PORT =
      Integer.numberOfTrailingZeros(FailsafeBy.FAILSAFE_BY_DESTINATION_PORT);
  private static final int BY_SOURCE_PORT =
      Integer.numberOfTrailingZeros(FailsafeBy.FAILSAFE_BY_SOURCE_PORT);

  private final Map<Service, PrefixSets> peers = new TreeMap<>();
  private final TreeSet<Integer> ports = new TreeSet<>();

  private record Service(int protocol, int port) implements Comparable<Service> {
    @Override
    public int compareTo(Service other) {
      return Integer.compare(protocol << 16 | port, other.protocol << 16 | other.port);
    }
  }

  private FailsafePeers() {}

  /** The peers for a hook of this direction: the peer is the other end. */
  public static FailsafePeers of(FailsafeSettings settings, Direction direction) {
    boolean ingress = direction == Direction.Ingress;
    int local = ingress ? BY_DESTINATION_PORT : BY_SOURCE_PORT;
    int remote = ingress ? BY_SOURCE_PORT : BY_DESTINATION_PORT;
    FailsafePeers all = new FailsafePeers();
    for (String peer : settings.peers()) {
      all.add(new Service(TCP, settings.kubeletPort()), peer, local);
      // Tunnels choose their own source port, so the destination port identifies traffic in both
      // directions.
      settings
          .overlayPorts()
          .forEach(port -> all.add(new Service(UDP, port), peer, BY_DESTINATION_PORT));
    }
    settings
        .apiServers()
        .forEach(server -> all.add(new Service(TCP, server.port()), server.network(), remote));
    return all;
  }

  private void add(Service service, String network, int by) {
    peers.computeIfAbsent(service, s -> new PrefixSets()).add(Network.of(network), by);
    ports.add(service.port());
  }

  public boolean isEmpty() {
    return peers.isEmpty();
  }

  /** {@code failsafe_ports} of hook.h, in network order. */
  public byte[] ports() {
    ByteBuffer list = ByteBuffer.allocate(HookConfigurationLayout.FAILSAFE_PORTS.size());
    ports.forEach(port -> list.putShort(port.shortValue()));
    return list.array();
  }

  public MapContents map() {
    List<Element> elements = new ArrayList<>();
    peers.forEach(
        (service, sets) ->
            sets.accumulated()
                .forEach((network, by) -> elements.add(element(service, network, by))));
    return new MapContents("failsafe_peers", Math.max(1, elements.size()), 4, elements);
  }

  private static Element element(Service service, Network network, BitSet by) {
    ByteBuffer key = FailsafeKeyLayout.STRUCT.allocate();
    FailsafeKeyLayout.LENGTH.putInt(key, SERVICE_BITS + network.prefixLength());
    FailsafeKeyLayout.PORT.put(
        key, new byte[] {(byte) (service.port() >> 8), (byte) service.port()});
    FailsafeKeyLayout.PROTOCOL.putByte(key, service.protocol());
    FailsafeKeyLayout.VERSION.putByte(key, network.version());
    network.putAddress(FailsafeKeyLayout.ADDRESS.in(key));
    ByteBuffer value = ByteBuffer.allocate(4).order(ByteOrder.nativeOrder());
    value.putInt((int) by.toLongArray()[0]);
    return new Element(key, value.rewind());
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.match;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.kernel.MapContents;
import dev.tokenbucket.agent.kernel.MapContents.Element;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.ExceedAction;
import dev.tokenbucket.api.v1alpha1.Failsafe;
import dev.tokenbucket.api.v1alpha1.InterfaceSelector;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.OnFull;
import dev.tokenbucket.api.v1alpha1.PortRange;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;

/** The tables, looked up as match.h does, hold the terms that hold for the packet. */
class TermTablesProperties {
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int ICMP = 1;
  private static final List<String> NETWORKS =
      List.of(
          "0.0.0.0/0",
          "10.0.0.0/8",
          "10.0.0.0/9",
          "10.0.1.0/24",
          "10.0.1.7/32",
          "10.128.0.0/9",
          "10.128.0.0/16",
          "10.128.0.0/17",
          "::/0",
          "fd00::/16",
          "fd00::/17",
          "fd00::/64",
          "fd00::7/128",
          "fd00:0:0:1::/64");
  private static final List<String> ADDRESSES =
      List.of(
          "10.0.1.7",
          "10.0.1.8",
          "10.128.0.1",
          "10.128.128.1",
          "10.129.0.1",
          "192.0.2.1",
          "fd00::7",
          "fd00:0:0:1::1",
          "2001::1");

  /** The known fields of a packet; null stands for an unreadable one. */
  private record Seen(
      @Nullable Integer protocol,
      String source,
      String destination,
      @Nullable Integer sourcePort,
      @Nullable Integer destinationPort,
      @Nullable Boolean newConnection) {}

  @Provide
  Arbitrary<List<NodePolicy>> policies() {
    Arbitrary<List<NodeMatchTerm>> terms = terms().list().ofMaxSize(4);
    return Combinators.combine(terms, terms)
        .as(TermTablesProperties::policy)
        .list()
        .ofMinSize(1)
        .ofMaxSize(6);
  }

  private static Arbitrary<NodeMatchTerm> terms() {
    Arbitrary<List<String>> networks =
        Arbitraries.of(NETWORKS).list().uniqueElements().ofMaxSize(2);
    Arbitrary<List<PortRange>> ports =
        Arbitraries.of(
                new PortRange(80, 80), new PortRange(100, 200), new PortRange(65_535, 65_535))
            .list()
            .uniqueElements()
            .ofMaxSize(2);
    return Combinators.combine(
            Arbitraries.of(TCP, UDP, ICMP).injectNull(0.5),
            networks,
            networks,
            ports,
            ports,
            Arbitraries.of(true, false))
        .as(TermTablesProperties::term)
        .flatMap(
            term ->
                Combinators.combine(networks, networks)
                    .as((sources, destinations) -> but(term, sources, destinations)));
  }

  private static NodeMatchTerm but(
      NodeMatchTerm term, List<String> notSources, List<String> notDestinations) {
    return new NodeMatchTerm(
        term.protocol(),
        term.sourceCIDRs(),
        term.destinationCIDRs(),
        term.sourcePorts(),
        term.destinationPorts(),
        term.newConnectionsOnly(),
        notSources,
        notDestinations,
        null,
        null,
        List.of(),
        List.of(),
        null);
  }

  /** As the API lets them be: flags are TCP's, ports are of protocols that have them. */
  private static NodeMatchTerm term(
      @Nullable Integer protocol,
      List<String> sources,
      List<String> destinations,
      List<PortRange> sourcePorts,
      List<PortRange> destinationPorts,
      boolean newConnections) {
    boolean icmp = protocol != null && protocol == ICMP;
    return new NodeMatchTerm(
        newConnections ? Integer.valueOf(TCP) : protocol,
        sources,
        destinations,
        icmp && !newConnections ? List.of() : sourcePorts,
        icmp && !newConnections ? List.of() : destinationPorts,
        newConnections);
  }

  private static NodePolicy policy(List<NodeMatchTerm> match, List<NodeMatchTerm> exempt) {
    return new NodePolicy(
        "p",
        "p",
        1,
        List.of(InterfaceSelector.DEFAULT_ROUTE),
        Direction.Ingress,
        null,
        1,
        match,
        exempt,
        Failsafe.Enabled,
        BucketPer.Node,
        1,
        OnFull.ShareBucket,
        32,
        64,
        RateUnit.Packets,
        1,
        null,
        1,
        null,
        ExceedAction.Drop,
        null,
        Mode.Enforce);
  }

  @Provide
  Arbitrary<Seen> packets() {
    Arbitrary<String> addresses = Arbitraries.of(ADDRESSES);
    Arbitrary<Integer> ports = Arbitraries.of(0, 79, 80, 81, 99, 100, 200, 201, 65_535);
    return Combinators.combine(
            Arbitraries.of(TCP, UDP, ICMP).injectNull(0.2),
            addresses,
            addresses,
            Combinators.combine(ports, ports).as(List::of).injectNull(0.2),
            Arbitraries.of(true, false).injectNull(0.2))
        .as(TermTablesProperties::packet);
  }

  /** Both ports can be read or none; of another protocol there are none and no flags. */
  private static Seen packet(
      @Nullable Integer protocol,
      String source,
      String destination,
      @Nullable List<Integer> ports,
      @Nullable Boolean newConnection) {
    List<Integer> known = ports == null || protocol == null || protocol == ICMP ? null : ports;
    return new Seen(
        protocol,
        source,
        destination,
        known == null ? null : known.get(0),
        known == null ? null : known.get(1),
        protocol == null ? null : protocol == TCP ? newConnection : Boolean.FALSE);
  }

  @Property(tries = 500, edgeCases = EdgeCasesMode.NONE)
  void aPacketMeetsThePoliciesOfWhichATermMatchesAndNoneExempts(
      @ForAll("policies") List<NodePolicy> policies, @ForAll("packets") Seen packet) {
    BitSet expected = new BitSet();
    for (int i = 0; i < policies.size(); i++) {
      NodePolicy policy = policies.get(i);
      boolean matched =
          policy.match().isEmpty() || policy.match().stream().anyMatch(t -> holds(t, packet, true));
      boolean exempted = policy.exempt().stream().anyMatch(t -> holds(t, packet, false));
      expected.set(i, matched && !exempted);
    }

    assertThat(met(policies, packet)).isEqualTo(expected);
  }

  // The API's words, term by term.

  private static boolean holds(NodeMatchTerm term, Seen packet, boolean unknown) {
    return (term.protocol() == null
            || (packet.protocol() == null ? unknown : term.protocol().equals(packet.protocol())))
        && isBetween(term.sourceCIDRs(), term.notSourceCIDRs(), packet.source())
        && isBetween(term.destinationCIDRs(), term.notDestinationCIDRs(), packet.destination())
        && isOneOf(term.sourcePorts(), packet.sourcePort(), packet, unknown)
        && isOneOf(term.destinationPorts(), packet.destinationPort(), packet, unknown)
        && (!term.newConnectionsOnly()
            || (packet.newConnection() == null ? unknown : packet.newConnection()));
  }

  private static boolean isBetween(List<String> in, List<String> notIn, String address) {
    return (in.isEmpty() || isIn(in, address)) && !isIn(notIn, address);
  }

  private static boolean isIn(List<String> networks, String address) {
    Network host = host(address);
    return networks.stream()
        .map(Network::of)
        .anyMatch(n -> n.version() == host.version() && host.widened(n.prefixLength()).equals(n));
  }

  private static Network host(String address) {
    return Network.of(address + (address.indexOf(':') >= 0 ? "/128" : "/32"));
  }

  private static boolean isOneOf(
      List<PortRange> ranges, @Nullable Integer port, Seen packet, boolean unknown) {
    if (ranges.isEmpty()) {
      return true;
    }
    if (port == null) {
      boolean has = packet.protocol() == null || packet.protocol() != ICMP;
      return has && unknown;
    }
    return ranges.stream().anyMatch(range -> range.from() <= port && port <= range.to());
  }

  // The tables, as match.h looks them up.

  private static BitSet met(List<NodePolicy> policies, Seen packet) {
    TermTables tables = TermTables.of(policies);
    Map<String, MapContents> maps =
        tables.maps().stream().collect(Collectors.toMap(MapContents::map, Function.identity()));
    BitSet match = set(tables.matchTerms());
    BitSet exempt = set(tables.exemptTerms());
    BitSet holding = (BitSet) match.clone();
    holding.or(exempt);
    sets(tables, maps, packet).forEach(holding::and);
    BitSet met = BitSet.valueOf(new long[] {tables.unconditional()});
    policiesOf(tables, holding, match).stream().forEach(met::set);
    policiesOf(tables, holding, exempt).stream().forEach(met::clear);
    return met;
  }

  private static List<BitSet> sets(TermTables tables, Map<String, MapContents> maps, Seen packet) {
    List<BitSet> sets = new ArrayList<>();
    int features = tables.features();
    if ((features & 1 << 16) != 0) {
      sets.add(at(maps, "protocol_terms", packet.protocol() == null ? 256 : packet.protocol()));
    }
    if ((features & 1 << 17) != 0) {
      sets.add(of(maps, "source", packet.source()));
    }
    if ((features & 1 << 18) != 0) {
      sets.add(of(maps, "destination", packet.destination()));
    }
    if ((features & 1 << 19) != 0) {
      sets.add(
          at(maps, "source_port_terms", portClass(maps, "source", packet.sourcePort(), packet)));
    }
    if ((features & 1 << 20) != 0) {
      sets.add(
          at(
              maps,
              "destination_port_terms",
              portClass(maps, "destination", packet.destinationPort(), packet)));
    }
    if ((features & 1 << 21) != 0 && !Boolean.TRUE.equals(packet.newConnection())) {
      BitSet any = set(tables.anyConnection());
      if (packet.newConnection() == null) {
        any.or(set(tables.matchTerms()));
      }
      sets.add(any);
    }
    return sets;
  }

  private static int portClass(
      Map<String, MapContents> maps, String side, @Nullable Integer port, Seen packet) {
    if (port == null) {
      return packet.protocol() != null && packet.protocol() == ICMP ? 0 : 1;
    }
    return Short.toUnsignedInt(
        table(maps, side + "_port_classes").getShort(2 * networkOrder(port)));
  }

  private static int networkOrder(int number) {
    return ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN
        ? Short.toUnsignedInt(Short.reverseBytes((short) number))
        : number;
  }

  private static ByteBuffer table(Map<String, MapContents> maps, String name) {
    return contents(maps, name)
        .elements()
        .get(0)
        .value()
        .duplicate()
        .order(ByteOrder.nativeOrder());
  }

  private static MapContents contents(Map<String, MapContents> maps, String name) {
    MapContents contents = maps.get(name);
    if (contents == null) {
      throw new IllegalArgumentException(name);
    }
    return contents;
  }

  private static BitSet at(Map<String, MapContents> maps, String name, int key) {
    ByteBuffer wanted = ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(key).rewind();
    return contents(maps, name).elements().stream()
        .filter(element -> element.key().equals(wanted))
        .map(element -> BitSet.valueOf(element.value().duplicate().order(ByteOrder.nativeOrder())))
        .findFirst()
        .orElseThrow();
  }

  private static BitSet of(Map<String, MapContents> maps, String side, String address) {
    Network host = host(address);
    int head = networkOrder((int) (host.high() >>> 48));
    int index = (host.version() == 6 ? 65_536 : 0) + head;
    int number = Short.toUnsignedInt(table(maps, side + "_head_classes").getShort(2 * index));
    return number == 0
        ? longest(maps, side + "_terms", address)
        : at(maps, side + "_head_terms", number);
  }

  private static BitSet longest(Map<String, MapContents> maps, String name, String address) {
    Network host = host(address);
    return contents(maps, name).elements().stream()
        .filter(element -> holds(element, host))
        .max(Comparator.comparingInt(TermTablesProperties::length))
        .map(element -> BitSet.valueOf(element.value().duplicate().order(ByteOrder.nativeOrder())))
        .orElseThrow();
  }

  private static int length(Element element) {
    return element.key().duplicate().order(ByteOrder.nativeOrder()).getInt() - 32;
  }

  private static boolean holds(Element element, Network host) {
    ByteBuffer key = element.key().duplicate().order(ByteOrder.nativeOrder());
    int length = key.getInt() - 32;
    int version = key.getInt();
    key.order(ByteOrder.BIG_ENDIAN);
    Network network = new Network(version, key.getLong(), key.getLong(), length);
    return version == host.version() && host.widened(length).equals(network);
  }

  private static BitSet set(byte[] terms) {
    return BitSet.valueOf(ByteBuffer.wrap(terms).order(ByteOrder.nativeOrder()));
  }

  private static BitSet policiesOf(TermTables tables, BitSet holding, BitSet of) {
    BitSet terms = (BitSet) holding.clone();
    terms.and(of);
    BitSet policies = new BitSet();
    terms.stream().forEach(term -> policies.set(tables.policyOfTerm()[term]));
    return policies;
  }
}

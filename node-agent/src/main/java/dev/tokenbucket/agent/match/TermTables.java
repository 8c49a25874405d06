// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.match;

import dev.tokenbucket.agent.kernel.MapContents;
import dev.tokenbucket.agent.kernel.MapContents.Element;
import dev.tokenbucket.agent.layout.HeadClassesLayout;
import dev.tokenbucket.agent.layout.HookConfigurationLayout;
import dev.tokenbucket.agent.layout.HookFeature;
import dev.tokenbucket.agent.layout.HookLimit;
import dev.tokenbucket.agent.layout.PrefixKeyLayout;
import dev.tokenbucket.agent.layout.ProtocolIndex;
import dev.tokenbucket.api.v1alpha1.AddressSets;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.PortRange;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The match and exempt terms of a hook's policies in the form that the classifier looks up: one bit
 * per term, in the order of the policies (match.h). An unreadable field fulfils each term of {@code
 * match[]}, and only those terms of {@code exempt[]} that do not ask for the field.
 */
public final class TermTables {
  /** The most terms that one hook can hold. */
  public static final int MAX_TERMS = HookLimit.MAX_HOOK_TERMS;

  private static final int UNKNOWN_PROTOCOL = ProtocolIndex.MATCH_UNKNOWN_PROTOCOL;

  /** Bits of the version before an address in a key. */
  private static final int VERSION_BITS = 32;

  private final TermList terms;
  private final HeaderTables headers;
  private final long unconditional;

  private TermTables(TermList terms, long unconditional) {
    this.terms = terms;
    this.headers = new HeaderTables(terms);
    this.unconditional = unconditional;
  }

  /**
   * The tables of one hook.
   *
   * @param policies the policies of one hook, in order; at most 64, with at most {@link #MAX_TERMS}
   *     terms
   */
  public static TermTables of(List<NodePolicy> policies) {
    List<TermList.Term> terms = new ArrayList<>();
    long unconditional = 0;
    for (int i = 0; i < policies.size(); i++) {
      int policy = i;
      NodePolicy of = policies.get(i);
      if (!AddressSets.refs(of).isEmpty()) {
        throw new IllegalArgumentException(
            "policy \"" + of.name() + "\" names address sets whose networks are not known");
      }
      if (of.match().isEmpty()) {
        unconditional |= 1L << i;
      }
      of.match().forEach(term -> terms.add(new TermList.Term(policy, false, term)));
      of.exempt().forEach(term -> terms.add(new TermList.Term(policy, true, term)));
    }
    if (terms.size() > MAX_TERMS) {
      throw new IllegalArgumentException("more than " + MAX_TERMS + " terms: " + terms.size());
    }
    return new TermTables(new TermList(terms), unconditional);
  }

  /** The number of terms that a policy uses, of the {@link #MAX_TERMS}. */
  public static int count(NodePolicy policy) {
    return policy.match().size() + policy.exempt().size();
  }

  /** The number of 64-bit words in use. */
  public int words() {
    return (terms.size() + 63) / 64;
  }

  /** The policies without {@code match[]}, one bit each. */
  public long unconditional() {
    return unconditional;
  }

  /** The features that any term asks for. */
  public int features() {
    return headers.features()
        | feature(TermTables::asksProtocol, HookFeature.HOOK_MATCHES_PROTOCOL)
        | feature(Side.SOURCE::isAsked, HookFeature.HOOK_MATCHES_SOURCE)
        | feature(Side.DESTINATION::isAsked, HookFeature.HOOK_MATCHES_DESTINATION)
        | feature(term -> !term.sourcePorts().isEmpty(), HookFeature.HOOK_MATCHES_SOURCE_PORT)
        | feature(
            term -> !term.destinationPorts().isEmpty(), HookFeature.HOOK_MATCHES_DESTINATION_PORT)
        | feature(NodeMatchTerm::newConnectionsOnly, HookFeature.HOOK_MATCHES_NEW_CONNECTIONS);
  }

  private int feature(Predicate<NodeMatchTerm> asks, int feature) {
    return terms.asking(asks).isEmpty() ? 0 : feature;
  }

  /** {@code match_terms} of hook.h. */
  public byte[] matchTerms() {
    return TermMaps.encode(terms.where(term -> !term.exempts()));
  }

  /** {@code exempt_terms} of hook.h. */
  public byte[] exemptTerms() {
    return TermMaps.encode(terms.where(TermList.Term::exempts));
  }

  /** {@code any_connection} of hook.h. */
  public byte[] anyConnection() {
    return TermMaps.encode(terms.where(term -> !term.asks().newConnectionsOnly()));
  }

  /** {@code term_policy} of hook.h. */
  public byte[] policyOfTerm() {
    byte[] policies = new byte[HookConfigurationLayout.TERM_POLICY.size()];
    for (int i = 0; i < terms.size(); i++) {
      policies[i] = (byte) terms.get(i).policy();
    }
    return policies;
  }

  /** The maps of match.h. */
  public List<MapContents> maps() {
    List<MapContents> maps = new ArrayList<>();
    maps.add(protocols());
    maps.addAll(networks("source", Side.SOURCE));
    maps.addAll(networks("destination", Side.DESTINATION));
    maps.addAll(ports("source_port", NodeMatchTerm::sourcePorts));
    maps.addAll(ports("destination_port", NodeMatchTerm::destinationPorts));
    maps.addAll(headers.maps());
    return List.copyOf(maps);
  }

  /**
   * Whether a term asks for the protocol. Only TCP, UDP and SCTP have ports; a term that asks only
   * for ports accepts all three.
   */
  private static boolean asksProtocol(NodeMatchTerm term) {
    return term.protocol() != null;
  }

  private MapContents protocols() {
    BitSet asked = terms.asking(TermTables::asksProtocol);
    if (asked.isEmpty()) {
      return TermMaps.indexed("protocol_terms", List.of());
    }
    List<BitSet> sets = new ArrayList<>();
    for (int protocol = 0; protocol < UNKNOWN_PROTOCOL; protocol++) {
      Integer number = protocol;
      sets.add(terms.asking(term -> term.protocol() == null || number.equals(term.protocol())));
    }
    sets.add(UNKNOWN_PROTOCOL, terms.unknown(asked));
    return TermMaps.indexed("protocol_terms", sets);
  }

  /**
   * The networks for one of a packet's addresses: networks that must contain it, and networks that
   * must not.
   */
  private record Side(
      Function<NodeMatchTerm, List<String>> in, Function<NodeMatchTerm, List<String>> notIn) {
    static final Side SOURCE = new Side(NodeMatchTerm::sourceCIDRs, NodeMatchTerm::notSourceCIDRs);
    static final Side DESTINATION =
        new Side(NodeMatchTerm::destinationCIDRs, NodeMatchTerm::notDestinationCIDRs);

    boolean isAsked(NodeMatchTerm term) {
      return !in.apply(term).isEmpty() || !notIn.apply(term).isEmpty();
    }
  }

  private List<MapContents> networks(String name, Side side) {
    if (terms.asking(side::isAsked).isEmpty()) {
      return with(TermMaps.indexed(name + "_terms", List.of()), TermMaps.unasked(name + "_head"));
    }
    PrefixSets sets = new PrefixSets();
    sets.addEverywhere(
        terms.asking(term -> side.in().apply(term).isEmpty()).stream().boxed().toList());
    for (int i = 0; i < terms.size(); i++) {
      int member = i;
      NodeMatchTerm asks = terms.get(i).asks();
      side.in().apply(asks).forEach(cidr -> sets.add(Network.of(cidr), member));
      side.notIn().apply(asks).forEach(cidr -> sets.exclude(Network.of(cidr), member));
    }
    Map<Network, BitSet> accumulated = sets.accumulated();
    HeadClasses heads = HeadClasses.of(accumulated);
    List<Element> elements = new ArrayList<>();
    accumulated.forEach(
        (network, set) ->
            elements.add(new Element(prefixKey(network), ByteBuffer.wrap(TermMaps.encode(set)))));
    return with(
        new MapContents(name + "_terms", elements.size(), TermMaps.SET_SIZE, elements),
        TermMaps.classified(name + "_head", headTable(heads), heads.sets()));
  }

  /** {@code struct head_classes}. */
  private static ByteBuffer headTable(HeadClasses heads) {
    ByteBuffer table = HeadClassesLayout.STRUCT.allocate();
    TermMaps.putClasses(table, 0, head -> heads.of(4, head));
    TermMaps.putClasses(table, HeadClasses.HEADS, head -> heads.of(6, head));
    return table;
  }

  private static ByteBuffer prefixKey(Network network) {
    ByteBuffer key = PrefixKeyLayout.STRUCT.allocate();
    PrefixKeyLayout.LENGTH.putInt(key, VERSION_BITS + network.prefixLength());
    PrefixKeyLayout.VERSION.putInt(key, network.version());
    network.putAddress(PrefixKeyLayout.ADDRESS.in(key));
    return key;
  }

  private List<MapContents> ports(String prefix, Function<NodeMatchTerm, List<PortRange>> of) {
    BitSet asked = terms.asking(term -> !of.apply(term).isEmpty());
    if (asked.isEmpty()) {
      return TermMaps.unasked(prefix);
    }
    NumberSets sets = new NumberSets();
    asked.stream()
        .forEach(
            i ->
                of.apply(terms.get(i).asks())
                    .forEach(range -> sets.add(range.from(), range.to(), i)));
    return TermMaps.classified(prefix, sets.classes(terms.others(asked), terms.unknown(asked)));
  }

  private static List<MapContents> with(MapContents first, List<MapContents> others) {
    return Stream.concat(Stream.of(first), others.stream()).toList();
  }
}

package dev.tokenbucket.agent.match;

import dev.tokenbucket.agent.kernel.MapContents;
import dev.tokenbucket.agent.kernel.MapContents.Element;
import dev.tokenbucket.agent.layout.HeadClassesLayout;
import dev.tokenbucket.agent.layout.HookConfigurationLayout;
import dev.tokenbucket.agent.layout.HookFeature;
import dev.tokenbucket.agent.layout.HookLimit;
import dev.tokenbucket.agent.layout.PortClassesLayout;
import dev.tokenbucket.agent.layout.PrefixKeyLayout;
import dev.tokenbucket.agent.layout.ProtocolIndex;
import dev.tokenbucket.agent.layout.TermSetLayout;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.PortRange;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The match and exempt terms of a hook's policies as the classifier looks them up: a bit a term, in
 * the order of the policies (match.h). What can't be read of a packet fulfils each term of {@code
 * match[]}, and of {@code exempt[]} only those that do not ask for it.
 */
public final class TermTables {
  /** Terms that one hook can hold. */
  public static final int MAX_TERMS = HookLimit.MAX_HOOK_TERMS;

  private static final int SET_SIZE = TermSetLayout.STRUCT.size();
  private static final int UNKNOWN_PROTOCOL = ProtocolIndex.MATCH_UNKNOWN_PROTOCOL;

  /** Bits of the version in front of an address in a key. */
  private static final int VERSION_BITS = 32;

  private record Term(int policy, boolean exempts, NodeMatchTerm asks) {}

  private final List<Term> terms;
  private final long unconditional;

  private TermTables(List<Term> terms, long unconditional) {
    this.terms = List.copyOf(terms);
    this.unconditional = unconditional;
  }

  /**
   * The tables of one hook.
   *
   * @param policies of one hook, in their order; at most 64, with at most {@link #MAX_TERMS} terms
   */
  public static TermTables of(List<NodePolicy> policies) {
    List<Term> terms = new ArrayList<>();
    long unconditional = 0;
    for (int i = 0; i < policies.size(); i++) {
      int policy = i;
      NodePolicy of = policies.get(i);
      if (of.match().isEmpty()) {
        unconditional |= 1L << i;
      }
      of.match().forEach(term -> terms.add(new Term(policy, false, term)));
      of.exempt().forEach(term -> terms.add(new Term(policy, true, term)));
    }
    if (terms.size() > MAX_TERMS) {
      throw new IllegalArgumentException("more than " + MAX_TERMS + " terms: " + terms.size());
    }
    return new TermTables(terms, unconditional);
  }

  /** How many terms a policy takes of the {@link #MAX_TERMS}. */
  public static int count(NodePolicy policy) {
    return policy.match().size() + policy.exempt().size();
  }

  /** Words of 64 bits in use. */
  public int words() {
    return (terms.size() + 63) / 64;
  }

  /** The policies without {@code match[]}, a bit each. */
  public long unconditional() {
    return unconditional;
  }

  /** What the terms ask for at all. */
  public int features() {
    int features = 0;
    features |= feature(TermTables::asksProtocol, HookFeature.HOOK_MATCHES_PROTOCOL);
    features |= feature(term -> !term.sourceCIDRs().isEmpty(), HookFeature.HOOK_MATCHES_SOURCE);
    features |=
        feature(term -> !term.destinationCIDRs().isEmpty(), HookFeature.HOOK_MATCHES_DESTINATION);
    features |=
        feature(term -> !term.sourcePorts().isEmpty(), HookFeature.HOOK_MATCHES_SOURCE_PORT);
    features |=
        feature(
            term -> !term.destinationPorts().isEmpty(), HookFeature.HOOK_MATCHES_DESTINATION_PORT);
    features |=
        feature(NodeMatchTerm::newConnectionsOnly, HookFeature.HOOK_MATCHES_NEW_CONNECTIONS);
    return features;
  }

  private int feature(Predicate<NodeMatchTerm> asks, int feature) {
    return asked(asks).isEmpty() ? 0 : feature;
  }

  /** {@code match_terms} of hook.h. */
  public byte[] matchTerms() {
    return encode(where(term -> !term.exempts()));
  }

  /** {@code exempt_terms} of hook.h. */
  public byte[] exemptTerms() {
    return encode(where(Term::exempts));
  }

  /** {@code any_connection} of hook.h. */
  public byte[] anyConnection() {
    return encode(where(term -> !term.asks().newConnectionsOnly()));
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
    maps.addAll(networks("source", NodeMatchTerm::sourceCIDRs));
    maps.addAll(networks("destination", NodeMatchTerm::destinationCIDRs));
    maps.addAll(ports("source_port", NodeMatchTerm::sourcePorts));
    maps.addAll(ports("destination_port", NodeMatchTerm::destinationPorts));
    return List.copyOf(maps);
  }

  /** Ports are those of TCP, UDP and SCTP; a term that asks for ports only takes all three. */
  private static boolean asksProtocol(NodeMatchTerm term) {
    return term.protocol() != null;
  }

  private BitSet where(Predicate<Term> holds) {
    BitSet set = new BitSet(MAX_TERMS);
    for (int i = 0; i < terms.size(); i++) {
      set.set(i, holds.test(terms.get(i)));
    }
    return set;
  }

  private BitSet asked(Predicate<NodeMatchTerm> asks) {
    return where(term -> asks.test(term.asks()));
  }

  /** The terms that hold for a packet of which can't be read what some ask for. */
  private BitSet unknown(BitSet asked) {
    BitSet set = where(term -> !term.exempts());
    set.or(not(asked, terms.size()));
    return set;
  }

  private static BitSet not(BitSet set, int size) {
    BitSet inverse = (BitSet) set.clone();
    inverse.flip(0, size);
    return inverse;
  }

  private MapContents protocols() {
    BitSet asked = asked(TermTables::asksProtocol);
    if (asked.isEmpty()) {
      return new MapContents("protocol_terms", 1, SET_SIZE, List.of());
    }
    List<Element> elements = new ArrayList<>();
    for (int protocol = 0; protocol < UNKNOWN_PROTOCOL; protocol++) {
      Integer number = protocol;
      BitSet holding = asked(term -> term.protocol() == null || number.equals(term.protocol()));
      elements.add(element(protocol, holding));
    }
    elements.add(element(UNKNOWN_PROTOCOL, unknown(asked)));
    return new MapContents("protocol_terms", UNKNOWN_PROTOCOL + 1, SET_SIZE, elements);
  }

  private List<MapContents> networks(String side, Function<NodeMatchTerm, List<String>> of) {
    BitSet asked = asked(term -> !of.apply(term).isEmpty());
    if (asked.isEmpty()) {
      return with(
          new MapContents(side + "_terms", 1, SET_SIZE, List.of()), unasked(side + "_head"));
    }
    PrefixSets sets = new PrefixSets();
    sets.addEverywhere(not(asked, terms.size()).stream().boxed().toList());
    asked.stream()
        .forEach(i -> of.apply(terms.get(i).asks()).forEach(cidr -> sets.add(Network.of(cidr), i)));
    Map<Network, BitSet> accumulated = sets.accumulated();
    HeadClasses heads = HeadClasses.of(accumulated);
    List<Element> elements = new ArrayList<>();
    for (Map.Entry<Network, BitSet> each : accumulated.entrySet()) {
      elements.add(new Element(prefixKey(each.getKey()), ByteBuffer.wrap(encode(each.getValue()))));
    }
    return with(
        new MapContents(side + "_terms", elements.size(), SET_SIZE, elements),
        classified(side + "_head", headTable(heads), heads.sets()));
  }

  /** {@code struct head_classes}. */
  private static ByteBuffer headTable(HeadClasses heads) {
    ByteBuffer table = HeadClassesLayout.STRUCT.allocate();
    putClasses(table, 0, head -> heads.of(4, head));
    putClasses(table, HeadClasses.HEADS, head -> heads.of(6, head));
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
    BitSet asked = asked(term -> !of.apply(term).isEmpty());
    if (asked.isEmpty()) {
      return unasked(prefix);
    }
    PortSets sets = new PortSets();
    asked.stream().forEach(i -> of.apply(terms.get(i).asks()).forEach(range -> sets.add(range, i)));
    PortSets.Classes classes = sets.classes(not(asked, terms.size()), unknown(asked));
    return classified(prefix, portTable(classes.ofPort()), classes.sets());
  }

  /** Maps of a field that no term asks for. */
  private static List<MapContents> unasked(String prefix) {
    return List.of(
        new MapContents(prefix + "_classes", 1, 8, List.of()),
        new MapContents(prefix + "_terms", 1, SET_SIZE, List.of()));
  }

  /** The class of each value of a field, and the terms of each class. */
  private static List<MapContents> classified(
      String prefix, ByteBuffer classes, List<BitSet> sets) {
    List<Element> elements = new ArrayList<>();
    for (int i = 0; i < sets.size(); i++) {
      elements.add(element(i, sets.get(i)));
    }
    return List.of(
        new MapContents(
            prefix + "_classes", 1, classes.remaining(), List.of(new Element(key(0), classes))),
        new MapContents(prefix + "_terms", elements.size(), SET_SIZE, elements));
  }

  private static List<MapContents> with(MapContents first, List<MapContents> others) {
    return Stream.concat(Stream.of(first), others.stream()).toList();
  }

  /** {@code struct port_classes}. */
  private static ByteBuffer portTable(List<Integer> classOf) {
    ByteBuffer table = PortClassesLayout.STRUCT.allocate();
    putClasses(table, 0, classOf::get);
    return table;
  }

  /** The class of each number of 16 bits, from the {@code begin}th on. */
  private static void putClasses(ByteBuffer table, int begin, IntUnaryOperator classOf) {
    for (int number = 0; number < PortSets.PORTS; number++) {
      table.putShort(2 * (begin + networkOrder(number)), (short) classOf.applyAsInt(number));
    }
  }

  /** 16 bits as the host reads them from a packet. */
  private static int networkOrder(int number) {
    boolean swaps = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
    return swaps ? (number & 0xff) << 8 | number >> 8 : number;
  }

  private static Element element(int key, BitSet set) {
    return new Element(key(key), ByteBuffer.wrap(encode(set)));
  }

  private static ByteBuffer key(int key) {
    return ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(key).rewind();
  }

  /** {@code struct term_set}: words in the order of the host. */
  private static byte[] encode(BitSet set) {
    return TermSetLayout.STRUCT.encode(
        to -> TermSetLayout.WORD.in(to).asLongBuffer().put(set.toLongArray()));
  }
}

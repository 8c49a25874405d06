// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.match;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.kernel.MapContents;
import dev.tokenbucket.api.v1alpha1.Fragment;
import dev.tokenbucket.api.v1alpha1.Icmp;
import dev.tokenbucket.api.v1alpha1.LengthRange;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.TcpFlag;
import dev.tokenbucket.api.v1alpha1.TcpFlags;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;

/** Each field's tables, looked up as match.h does, hold the terms that hold for a value. */
class HeaderTablesProperties {
  private static final int TCP_FLAGS = 1 << 24;
  private static final int ICMP = 1 << 25;
  private static final int DSCP = 1 << 26;
  private static final int LENGTH = 1 << 27;
  private static final int FRAGMENT = 1 << 28;

  @Provide
  Arbitrary<List<TermList.Term>> terms() {
    Arbitrary<@Nullable List<TcpFlag>> flags =
        Arbitraries.of(TcpFlag.class).list().uniqueElements().ofMinSize(1).ofMaxSize(2);
    Arbitrary<TcpFlags> tcpFlags =
        Combinators.combine(flags.injectNull(0.3), flags.injectNull(0.3)).as(TcpFlags::new);
    Arbitrary<Icmp> icmp =
        Combinators.combine(Arbitraries.of(0, 3, 8, 255), Arbitraries.of(0, 4, 255).injectNull(0.5))
            .as(Icmp::new);
    Arbitrary<List<LengthRange>> lengths =
        Arbitraries.of(
                new LengthRange(20, 40), new LengthRange(100, 100), new LengthRange(1500, 65_535))
            .list()
            .uniqueElements()
            .ofMaxSize(2);
    Arbitrary<NodeMatchTerm> asks =
        Combinators.combine(
                tcpFlags.injectNull(0.5),
                icmp.injectNull(0.5),
                Arbitraries.of(0, 1, 46, 63).list().uniqueElements().ofMaxSize(2),
                lengths,
                Arbitraries.of(Fragment.class).injectNull(0.5))
            .as(HeaderTablesProperties::term);
    return Combinators.combine(Arbitraries.of(true, false), asks)
        .as((exempts, each) -> new TermList.Term(0, exempts, each))
        .list()
        .ofMinSize(1)
        .ofMaxSize(80);
  }

  private static NodeMatchTerm term(
      @Nullable TcpFlags flags,
      @Nullable Icmp icmp,
      List<Integer> dscps,
      List<LengthRange> lengths,
      @Nullable Fragment fragment) {
    return new NodeMatchTerm(
        null, List.of(), List.of(), List.of(), List.of(), false, List.of(), List.of(), flags, icmp,
        dscps, lengths, fragment);
  }

  /** The tables of some terms, and their expected content. */
  private record Tables(List<TermList.Term> terms, int features, Map<String, MapContents> maps) {
    static Tables of(List<TermList.Term> terms) {
      HeaderTables tables = new HeaderTables(new TermList(terms));
      return new Tables(
          terms,
          tables.features(),
          tables.maps().stream().collect(Collectors.toMap(MapContents::map, Function.identity())));
    }

    boolean ask(int feature) {
      return (features & feature) != 0;
    }

    BitSet holding(Predicate<TermList.Term> holds) {
      BitSet set = new BitSet();
      for (int i = 0; i < terms.size(); i++) {
        set.set(i, holds.test(terms.get(i)));
      }
      return set;
    }

    BitSet asking(Predicate<NodeMatchTerm> holds) {
      return holding(term -> holds.test(term.asks()));
    }

    ByteBuffer value(String map, int index) {
      MapContents contents = maps.get(map);
      if (contents == null) {
        throw new IllegalArgumentException(map);
      }
      return contents.elements().get(index).value().duplicate().order(ByteOrder.nativeOrder());
    }

    BitSet at(String map, int index) {
      return BitSet.valueOf(value(map, index));
    }

    BitSet atNumber(String field, int number) {
      ByteBuffer inNetworkOrder = ByteBuffer.allocate(2).putShort((short) number).rewind();
      int index = Short.toUnsignedInt(inNetworkOrder.order(ByteOrder.nativeOrder()).getShort());
      return at(
          field + "_terms", Short.toUnsignedInt(value(field + "_classes", 0).getShort(2 * index)));
    }

    void assertNoneAndUnknown(String map, int none, int unknown, Predicate<NodeMatchTerm> isFree) {
      assertThat(at(map, none)).isEqualTo(asking(isFree));
      assertThat(at(map, unknown))
          .isEqualTo(holding(term -> !term.exempts() || isFree.test(term.asks())));
    }
  }

  @Property(tries = 25, edgeCases = EdgeCasesMode.NONE)
  void eachValueOfEachFieldHasTheTermsThatHoldForIt(@ForAll("terms") List<TermList.Term> terms) {
    Tables tables = Tables.of(terms);
    for (int flags = 0; flags < 256 && tables.ask(TCP_FLAGS); flags++) {
      int of = flags;
      assertThat(tables.at("tcp_flags_terms", flags))
          .isEqualTo(tables.asking(term -> hold(term.tcpFlags(), of)));
    }
    for (int dscp = 0; dscp < 64 && tables.ask(DSCP); dscp++) {
      int of = dscp;
      assertThat(tables.at("dscp_terms", dscp))
          .isEqualTo(tables.asking(term -> term.dscps().isEmpty() || term.dscps().contains(of)));
    }
    for (int length : List.of(0, 19, 20, 40, 41, 99, 100, 101, 1499, 1500, 65_535)) {
      if (tables.ask(LENGTH)) {
        assertThat(tables.atNumber("length", length))
            .isEqualTo(tables.asking(term -> isOneOf(term.packetLengths(), length)));
      }
    }
    for (int type : List.of(0, 1, 3, 8, 9, 255)) {
      for (int code : List.of(0, 1, 4, 255)) {
        if (tables.ask(ICMP)) {
          assertThat(tables.atNumber("icmp", type << 8 | code))
              .isEqualTo(tables.asking(term -> is(term.icmp(), type, code)));
        }
      }
    }
  }

  @Property(tries = 25, edgeCases = EdgeCasesMode.NONE)
  void whatHasNoneOrCannotBeReadFulfilsWhatDoesNotAsk(@ForAll("terms") List<TermList.Term> terms) {
    Tables tables = Tables.of(terms);
    if (tables.ask(TCP_FLAGS)) {
      tables.assertNoneAndUnknown("tcp_flags_terms", 256, 257, term -> term.tcpFlags() == null);
    }
    if (tables.ask(ICMP)) {
      tables.assertNoneAndUnknown("icmp_terms", 0, 1, term -> term.icmp() == null);
    }
    if (tables.ask(FRAGMENT)) {
      List<List<Fragment>> holding =
          List.of(
              List.of(Fragment.None),
              List.of(Fragment.Any, Fragment.First),
              List.of(Fragment.Any, Fragment.Later));
      List<BitSet> expected = new ArrayList<>();
      for (List<Fragment> each : holding) {
        expected.add(
            tables.asking(term -> term.fragment() == null || each.contains(term.fragment())));
      }
      expected.add(tables.holding(term -> !term.exempts() || term.asks().fragment() == null));
      for (int i = 0; i < expected.size(); i++) {
        assertThat(tables.at("fragment_terms", i)).isEqualTo(expected.get(i));
      }
    }
  }

  private static boolean hold(@Nullable TcpFlags asked, int flags) {
    return asked == null
        || (asked.allSet().stream().allMatch(flag -> isSet(flag, flags))
            && asked.allUnset().stream().noneMatch(flag -> isSet(flag, flags)));
  }

  /** RFC 9293: CWR is the highest bit, FIN the lowest. */
  private static boolean isSet(TcpFlag flag, int flags) {
    int bit = "FSRPAUEC".indexOf(flag.name().charAt(0));
    return (flags >> bit & 1) != 0;
  }

  private static boolean is(@Nullable Icmp asked, int type, int code) {
    return asked == null
        || (Integer.valueOf(type).equals(asked.type())
            && (asked.code() == null || asked.code() == code));
  }

  private static boolean isOneOf(List<LengthRange> ranges, int length) {
    return ranges.isEmpty()
        || ranges.stream().anyMatch(range -> range.from() <= length && length <= range.to());
  }
}

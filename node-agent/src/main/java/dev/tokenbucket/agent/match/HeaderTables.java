// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.match;

import dev.tokenbucket.agent.kernel.MapContents;
import dev.tokenbucket.agent.layout.DscpLimit;
import dev.tokenbucket.agent.layout.FragmentIndex;
import dev.tokenbucket.agent.layout.HookFeature;
import dev.tokenbucket.agent.layout.TcpFlagsIndex;
import dev.tokenbucket.api.v1alpha1.Fragment;
import dev.tokenbucket.api.v1alpha1.Icmp;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.TcpFlag;
import dev.tokenbucket.api.v1alpha1.TcpFlags;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Terms per header field other than protocol, addresses and ports: maps of match.h. */
final class HeaderTables {
  private final TermList terms;

  HeaderTables(TermList terms) {
    this.terms = terms;
  }

  /** The features that the terms ask for. */
  int features() {
    return feature(HeaderTables::asksFlags, HookFeature.HOOK_MATCHES_TCP_FLAGS)
        | feature(HeaderTables::asksIcmp, HookFeature.HOOK_MATCHES_ICMP)
        | feature(HeaderTables::asksDscp, HookFeature.HOOK_MATCHES_DSCP)
        | feature(HeaderTables::asksLength, HookFeature.HOOK_MATCHES_LENGTH)
        | feature(HeaderTables::asksFragment, HookFeature.HOOK_MATCHES_FRAGMENT);
  }

  private int feature(Predicate<NodeMatchTerm> asks, int feature) {
    return terms.asking(asks).isEmpty() ? 0 : feature;
  }

  private static boolean asksFlags(NodeMatchTerm term) {
    return term.tcpFlags() != null;
  }

  private static boolean asksIcmp(NodeMatchTerm term) {
    return term.icmp() != null;
  }

  private static boolean asksDscp(NodeMatchTerm term) {
    return !term.dscps().isEmpty();
  }

  private static boolean asksLength(NodeMatchTerm term) {
    return !term.packetLengths().isEmpty();
  }

  private static boolean asksFragment(NodeMatchTerm term) {
    return term.fragment() != null;
  }

  List<MapContents> maps() {
    List<MapContents> maps = new ArrayList<>(icmp());
    maps.addAll(lengths());
    maps.add(tcpFlags());
    maps.add(dscps());
    maps.add(fragments());
    return maps;
  }

  private MapContents tcpFlags() {
    BitSet asked = terms.asking(HeaderTables::asksFlags);
    if (asked.isEmpty()) {
      return TermMaps.indexed("tcp_flags_terms", List.of());
    }
    List<BitSet> sets = new ArrayList<>();
    for (int flags = 0; flags < TcpFlagsIndex.MATCH_NO_TCP_FLAGS; flags++) {
      int of = flags;
      sets.add(terms.asking(term -> hold(term.tcpFlags(), of)));
    }
    sets.add(TcpFlagsIndex.MATCH_NO_TCP_FLAGS, terms.others(asked));
    sets.add(TcpFlagsIndex.MATCH_UNKNOWN_TCP_FLAGS, terms.unknown(asked));
    return TermMaps.indexed("tcp_flags_terms", sets);
  }

  private static boolean hold(@Nullable TcpFlags asked, int flags) {
    return asked == null
        || ((flags & bits(asked.allSet())) == bits(asked.allSet())
            && (flags & bits(asked.allUnset())) == 0);
  }

  private static int bits(List<TcpFlag> flags) {
    return flags.stream().mapToInt(TcpFlag::bit).reduce(0, (a, b) -> a | b);
  }

  private List<MapContents> icmp() {
    BitSet asked = terms.asking(HeaderTables::asksIcmp);
    if (asked.isEmpty()) {
      return TermMaps.unasked("icmp");
    }
    NumberSets sets = new NumberSets();
    asked.stream().forEach(i -> add(sets, terms.get(i).asks().icmp(), i));
    return TermMaps.classified("icmp", sets.classes(terms.others(asked), terms.unknown(asked)));
  }

  /** Adds type and code as a 16-bit number. */
  private static void add(NumberSets sets, @Nullable Icmp icmp, int term) {
    if (icmp == null || icmp.type() == null) {
      return;
    }
    int type = icmp.type() << 8;
    Integer code = icmp.code();
    sets.add(type + (code == null ? 0 : code), type + (code == null ? 0xff : code), term);
  }

  private List<MapContents> lengths() {
    BitSet asked = terms.asking(HeaderTables::asksLength);
    if (asked.isEmpty()) {
      return TermMaps.unasked("length");
    }
    NumberSets sets = new NumberSets();
    asked.stream()
        .forEach(
            i ->
                terms
                    .get(i)
                    .asks()
                    .packetLengths()
                    .forEach(range -> sets.add(range.from(), range.to(), i)));
    return TermMaps.classified("length", sets.classes(terms.others(asked), terms.unknown(asked)));
  }

  private MapContents dscps() {
    if (terms.asking(HeaderTables::asksDscp).isEmpty()) {
      return TermMaps.indexed("dscp_terms", List.of());
    }
    return TermMaps.indexed(
        "dscp_terms",
        IntStream.range(0, DscpLimit.DSCPS)
            .mapToObj(
                dscp -> terms.asking(term -> term.dscps().isEmpty() || term.dscps().contains(dscp)))
            .toList());
  }

  private MapContents fragments() {
    BitSet asked = terms.asking(HeaderTables::asksFragment);
    if (asked.isEmpty()) {
      return TermMaps.indexed("fragment_terms", List.of());
    }
    List<BitSet> sets = new ArrayList<>();
    sets.add(FragmentIndex.MATCH_WHOLE, ofFragment(Fragment.None));
    sets.add(FragmentIndex.MATCH_FIRST_FRAGMENT, ofFragment(Fragment.Any, Fragment.First));
    sets.add(FragmentIndex.MATCH_LATER_FRAGMENT, ofFragment(Fragment.Any, Fragment.Later));
    sets.add(FragmentIndex.MATCH_UNKNOWN_FRAGMENT, terms.unknown(asked));
    return TermMaps.indexed("fragment_terms", sets);
  }

  private BitSet ofFragment(Fragment... holding) {
    return terms.asking(
        term -> term.fragment() == null || Set.of(holding).contains(term.fragment()));
  }
}

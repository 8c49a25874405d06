// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.match;

import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Sets per network. The longest prefix that contains an address also has the members of all shorter
 * prefixes, because a trie returns only one entry.
 */
final class PrefixSets {
  private final Map<Network, BitSet> own = new HashMap<>();
  private final Map<Network, BitSet> excluded = new HashMap<>();

  /** Excludes a network from a member: addresses in the network are never in the member's sets. */
  void exclude(Network network, int member) {
    excluded.computeIfAbsent(network, n -> new BitSet()).set(member);
    own.computeIfAbsent(network, n -> new BitSet());
  }

  void add(Network network, int member) {
    own.computeIfAbsent(network, n -> new BitSet()).set(member);
  }

  /** Adds members for every address of both versions. */
  void addEverywhere(Collection<Integer> members) {
    for (int version : List.of(4, 6)) {
      BitSet any = own.computeIfAbsent(Network.any(version), n -> new BitSet());
      members.forEach(any::set);
    }
  }

  /**
   * Every network that was added or excluded, with its members and those of the enclosing networks.
   */
  Map<Network, BitSet> accumulated() {
    Map<Integer, TreeSet<Integer>> lengths = new TreeMap<>();
    own.keySet()
        .forEach(
            n -> lengths.computeIfAbsent(n.version(), v -> new TreeSet<>()).add(n.prefixLength()));
    Map<Network, BitSet> all = new HashMap<>();
    BitSet none = new BitSet();
    for (Network network : own.keySet()) {
      BitSet with = new BitSet();
      BitSet without = new BitSet();
      lengths
          .getOrDefault(network.version(), new TreeSet<>())
          .headSet(network.prefixLength(), true)
          .forEach(
              length -> {
                Network around = network.widened(length);
                with.or(own.getOrDefault(around, none));
                without.or(excluded.getOrDefault(around, none));
              });
      with.andNot(without);
      all.put(network, with);
    }
    return all;
  }
}

package dev.tokenbucket.agent.match;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Sets by network, such that the longest prefix that holds an address has the members of all
 * shorter ones too: a trie gives one entry only.
 */
final class PrefixSets {
  private final Map<Network, BitSet> own = new HashMap<>();

  void add(Network network, int member) {
    own.computeIfAbsent(network, n -> new BitSet()).set(member);
  }

  /** Adds to every address of both versions. */
  void addEverywhere(Collection<Integer> members) {
    for (int version : List.of(4, 6)) {
      BitSet any = own.computeIfAbsent(Network.any(version), n -> new BitSet());
      members.forEach(any::set);
    }
  }

  /** Every network that was added to, with its members and those of the networks around it. */
  Map<Network, BitSet> accumulated() {
    Map<Integer, TreeSet<Integer>> lengths = new TreeMap<>();
    own.keySet()
        .forEach(
            n -> lengths.computeIfAbsent(n.version(), v -> new TreeSet<>()).add(n.prefixLength()));
    Map<Network, BitSet> all = new HashMap<>();
    own.forEach(
        (network, members) -> {
          BitSet with = (BitSet) members.clone();
          List<Integer> shorter =
              new ArrayList<>(
                  lengths
                      .getOrDefault(network.version(), new TreeSet<>())
                      .headSet(network.prefixLength()));
          shorter.forEach(
              length -> {
                BitSet around = own.get(network.widened(length));
                if (around != null) {
                  with.or(around);
                }
              });
          all.put(network, with);
        });
    return all;
  }
}

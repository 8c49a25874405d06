// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.match;

import dev.tokenbucket.agent.layout.HeadClass;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Classes of addresses by their first 16 bits, their head, so that most look-ups of a network need
 * no trie. Heads whose addresses are all in the same set share a class. A head that a longer
 * network begins with has {@link HeadClass#MATCH_LONGER_NETWORKS}: there the trie decides.
 */
final class HeadClasses {
  /** Number of heads per version. */
  static final int HEADS = 65_536;

  private static final int HEAD_BITS = 16;

  /** The most classes that a class's 16 bits can tell apart. Beyond that, the trie decides. */
  private static final int MAX_CLASSES = 1 << 16;

  private final Map<Integer, int[]> classes = Map.of(4, new int[HEADS], 6, new int[HEADS]);

  /** The first set, for {@link HeadClass#MATCH_LONGER_NETWORKS}, stays empty. */
  private final List<BitSet> sets = new ArrayList<>(List.of(new BitSet()));

  private HeadClasses() {}

  /**
   * @param accumulated sets per network, each with the members of the enclosing networks; each
   *     version has a network of length 0
   */
  static HeadClasses of(Map<Network, BitSet> accumulated) {
    HeadClasses heads = new HeadClasses();
    Map<BitSet, Integer> numbers = new HashMap<>();
    accumulated.entrySet().stream()
        .sorted(Comparator.comparingInt(each -> each.getKey().prefixLength()))
        .forEach(each -> heads.fill(each.getKey(), heads.number(each, numbers)));
    return heads;
  }

  private int number(Map.Entry<Network, BitSet> of, Map<BitSet, Integer> numbers) {
    if (of.getKey().prefixLength() > HEAD_BITS) {
      return HeadClass.MATCH_LONGER_NETWORKS;
    }
    return numbers.computeIfAbsent(of.getValue(), this::add);
  }

  private int add(BitSet set) {
    if (sets.size() == MAX_CLASSES) {
      return HeadClass.MATCH_LONGER_NETWORKS;
    }
    sets.add(set);
    return sets.size() - 1;
  }

  private void fill(Network network, int number) {
    int first = (int) (network.high() >>> (Long.SIZE - HEAD_BITS));
    int heads = 1 << Math.max(0, HEAD_BITS - network.prefixLength());
    Arrays.fill(table(network.version()), first, first + heads, number);
  }

  private int[] table(int version) {
    int[] table = classes.get(version);
    if (table == null) {
      throw new IllegalArgumentException("IP version " + version);
    }
    return table;
  }

  /** The class of a head: the first 16 bits of an address of this version. */
  int of(int version, int head) {
    return table(version)[head];
  }

  /** Each class's set. */
  List<BitSet> sets() {
    return List.copyOf(sets);
  }
}

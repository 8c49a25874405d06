// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.match;

import dev.tokenbucket.agent.layout.NumberClass;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Sets per 16-bit number: numbers with the same members share a class, and each class has its set.
 * The first two classes are for packets without the number and for packets whose number can't be
 * read ({@link NumberClass}).
 */
final class NumberSets {
  /** The count of 16-bit numbers. */
  static final int NUMBERS = 65_536;

  private final List<Range> ranges = new ArrayList<>();

  private record Range(int from, int to, int member) {}

  /**
   * Adds a member for a range. The ranges of a member are disjoint, and not adjacent; both ends are
   * inclusive.
   */
  void add(int from, int to, int member) {
    ranges.add(new Range(from, to, member));
  }

  /**
   * Classes of numbers.
   *
   * @param ofNumber each number's class
   * @param sets each class's members
   */
  record Classes(List<Integer> ofNumber, List<BitSet> sets) {}

  /**
   * @param without the members that hold for any packet, whatever its number
   * @param unknown the members that hold for a packet whose number can't be read
   */
  Classes classes(BitSet without, BitSet unknown) {
    Map<Integer, List<Range>> begins = new HashMap<>();
    Map<Integer, List<Range>> ends = new HashMap<>();
    for (Range each : ranges) {
      begins.computeIfAbsent(each.from(), p -> new ArrayList<>()).add(each);
      ends.computeIfAbsent(each.to() + 1, p -> new ArrayList<>()).add(each);
    }
    List<BitSet> sets = new ArrayList<>();
    sets.add(NumberClass.MATCH_NO_NUMBER, without);
    sets.add(NumberClass.MATCH_UNKNOWN_NUMBER, unknown);
    Map<BitSet, Integer> numbers = new HashMap<>();
    BitSet now = (BitSet) without.clone();
    List<Integer> ofNumber = new ArrayList<>(NUMBERS);
    int current = -1;
    for (int number = 0; number < NUMBERS; number++) {
      boolean changes = begins.containsKey(number) || ends.containsKey(number);
      // A term's ranges are disjoint, so the end of one never undoes the beginning of another.
      ends.getOrDefault(number, List.of()).forEach(each -> now.clear(each.member()));
      begins.getOrDefault(number, List.of()).forEach(each -> now.set(each.member()));
      if (changes || current < 0) {
        current =
            numbers.computeIfAbsent(
                (BitSet) now.clone(),
                set -> {
                  sets.add(set);
                  return sets.size() - 1;
                });
      }
      ofNumber.add(current);
    }
    return new Classes(List.copyOf(ofNumber), List.copyOf(sets));
  }
}

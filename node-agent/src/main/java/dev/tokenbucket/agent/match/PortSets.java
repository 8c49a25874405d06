package dev.tokenbucket.agent.match;

import dev.tokenbucket.agent.layout.PortClass;
import dev.tokenbucket.api.v1alpha1.PortRange;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Sets by port: ports with the same members have the same class, and each class has its set. The
 * first two classes are of packets without ports and of those whose ports can't be read ({@link
 * PortClass}).
 */
final class PortSets {
  /** Ports that there are, 0 included: nobody asks for it, but a packet may claim it. */
  static final int PORTS = 65_536;

  private final List<Member> members = new ArrayList<>();

  private record Member(PortRange range, int member) {}

  void add(PortRange range, int member) {
    members.add(new Member(range, member));
  }

  /**
   * Classes of ports.
   *
   * @param ofPort each port's class
   * @param sets each class's members
   */
  record Classes(List<Integer> ofPort, List<BitSet> sets) {}

  /**
   * @param without the members that hold for any packet, whatever its ports
   * @param unknown those that hold for a packet whose ports can't be read
   */
  Classes classes(BitSet without, BitSet unknown) {
    Map<Integer, List<Member>> begins = new HashMap<>();
    Map<Integer, List<Member>> ends = new HashMap<>();
    for (Member each : members) {
      begins.computeIfAbsent(each.range().from(), p -> new ArrayList<>()).add(each);
      ends.computeIfAbsent(each.range().to() + 1, p -> new ArrayList<>()).add(each);
    }
    List<BitSet> sets = new ArrayList<>();
    sets.add(PortClass.MATCH_NO_PORT, without);
    sets.add(PortClass.MATCH_UNKNOWN_PORT, unknown);
    Map<BitSet, Integer> numbers = new HashMap<>();
    BitSet now = (BitSet) without.clone();
    List<Integer> ofPort = new ArrayList<>(PORTS);
    int current = -1;
    for (int port = 0; port < PORTS; port++) {
      boolean changes = begins.containsKey(port) || ends.containsKey(port);
      // A term's ranges are apart from each other, so an end never undoes another's beginning.
      ends.getOrDefault(port, List.of()).forEach(each -> now.clear(each.member()));
      begins.getOrDefault(port, List.of()).forEach(each -> now.set(each.member()));
      if (changes || current < 0) {
        current =
            numbers.computeIfAbsent(
                (BitSet) now.clone(),
                set -> {
                  sets.add(set);
                  return sets.size() - 1;
                });
      }
      ofPort.add(current);
    }
    return new Classes(List.copyOf(ofPort), List.copyOf(sets));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import java.net.Inet4Address;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The addresses of some CIDRs, as sorted, disjoint ranges, so that two sets are compared in one
 * walk over both. Immutable.
 */
final class AddressSet {
  private static final Comparator<Range> BY_FIRST =
      (a, b) -> compare(a.fromHigh(), a.fromLow(), b.fromHigh(), b.fromLow());

  private final List<Range> ipv4;
  private final List<Range> ipv6;

  /** A range that includes both ends. An address is its upper and its lower 64 bits, unsigned. */
  private record Range(long fromHigh, long fromLow, long toHigh, long toLow) {
    static Range of(Cidr cidr) {
      byte[] bytes = cidr.address().getAddress();
      ByteBuffer whole = ByteBuffer.allocate(Long.BYTES * 2);
      whole.position(whole.capacity() - bytes.length);
      whole.put(bytes).flip();
      long high = whole.getLong();
      long low = whole.getLong();
      int free = Byte.SIZE * bytes.length - cidr.prefixLength();
      long freeHigh = ones(free - Long.SIZE);
      long freeLow = ones(free);
      return new Range(high & ~freeHigh, low & ~freeLow, high | freeHigh, low | freeLow);
    }

    private static long ones(int lowest) {
      return lowest <= 0 ? 0 : lowest >= Long.SIZE ? -1 : (1L << lowest) - 1;
    }

    boolean endsBefore(Range other) {
      return compare(toHigh, toLow, other.fromHigh, other.fromLow) < 0;
    }
  }

  private AddressSet(List<Range> ipv4, List<Range> ipv6) {
    this.ipv4 = ipv4;
    this.ipv6 = ipv6;
  }

  private static int compare(long high, long low, long otherHigh, long otherLow) {
    int upper = Long.compareUnsigned(high, otherHigh);
    return upper == 0 ? Long.compareUnsigned(low, otherLow) : upper;
  }

  /** The addresses of these CIDRs; invalid ones are skipped. */
  static AddressSet of(List<String> cidrs) {
    List<Range> ipv4 = new ArrayList<>();
    List<Range> ipv6 = new ArrayList<>();
    cidrs.stream()
        .flatMap(text -> Cidr.parse(text).stream())
        .forEach(cidr -> (isIpv4(cidr) ? ipv4 : ipv6).add(Range.of(cidr)));
    return new AddressSet(apart(ipv4), apart(ipv6));
  }

  private static boolean isIpv4(Cidr cidr) {
    return cidr.address() instanceof Inet4Address;
  }

  /** Removes ranges within others. Two CIDRs are either disjoint, or one contains the other. */
  private static List<Range> apart(List<Range> ranges) {
    ranges.sort(
        BY_FIRST.thenComparing((a, b) -> compare(b.toHigh(), b.toLow(), a.toHigh(), a.toLow())));
    List<Range> apart = new ArrayList<>();
    for (Range range : ranges) {
      if (apart.isEmpty() || apart.get(apart.size() - 1).endsBefore(range)) {
        apart.add(range);
      }
    }
    return List.copyOf(apart);
  }

  /** Whether the two sets have an address in common. */
  boolean meets(AddressSet other) {
    return meet(ipv4, other.ipv4) || meet(ipv6, other.ipv6);
  }

  private static boolean meet(List<Range> these, List<Range> those) {
    if (these.isEmpty() || those.isEmpty() || areApart(these, those) || areApart(those, these)) {
      return false;
    }
    int a = 0;
    int b = 0;
    while (a < these.size() && b < those.size()) {
      if (these.get(a).endsBefore(those.get(b))) {
        a++;
      } else if (those.get(b).endsBefore(these.get(a))) {
        b++;
      } else {
        return true;
      }
    }
    return false;
  }

  private static boolean areApart(List<Range> lower, List<Range> upper) {
    return lower.get(lower.size() - 1).endsBefore(upper.get(0));
  }
}

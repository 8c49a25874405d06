// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.program.SeenPacket.Seen;
import dev.tokenbucket.api.v1alpha1.Cidr;
import dev.tokenbucket.api.v1alpha1.Fragment;
import dev.tokenbucket.api.v1alpha1.Icmp;
import dev.tokenbucket.api.v1alpha1.LengthRange;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.PortRange;
import dev.tokenbucket.api.v1alpha1.TcpFlag;
import dev.tokenbucket.api.v1alpha1.TcpFlags;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** Whether a policy judges a packet, by the API's words, term by term; and terms at random. */
final class TermOracle {
  private static final List<String> NETWORKS =
      List.of("0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "::/0", "fe80::/10", "fd00::/8");
  private static final int[] PROTOCOLS = {1, 6, 17, 58, 132};
  private static final TcpFlag[] FLAGS = TcpFlag.values();
  private static final Fragment[] FRAGMENTS = Fragment.values();

  private TermOracle() {}

  static boolean judges(NodePolicy policy, SeenPacket packet) {
    return (policy.match().isEmpty()
            || policy.match().stream().anyMatch(term -> holds(term, packet, true)))
        && policy.exempt().stream().noneMatch(term -> holds(term, packet, false));
  }

  /**
   * Whether a term holds.
   *
   * @param unknown what holds of what can't be read
   */
  private static boolean holds(NodeMatchTerm term, SeenPacket packet, boolean unknown) {
    Integer protocol = term.protocol();
    TcpFlags flags = term.tcpFlags();
    Icmp icmp = term.icmp();
    Fragment fragment = term.fragment();
    return isIn(term.sourceCIDRs(), term.notSourceCIDRs(), packet, true)
        && isIn(term.destinationCIDRs(), term.notDestinationCIDRs(), packet, false)
        && (protocol == null || is(packet.protocol(), unknown, seen -> seen == protocol))
        && isOneOf(term.sourcePorts(), packet.port(true), unknown)
        && isOneOf(term.destinationPorts(), packet.port(false), unknown)
        && (!term.newConnectionsOnly()
            || is(packet.tcpFlags(), unknown, seen -> (seen & 0x12) == 0x02))
        && (flags == null || is(packet.tcpFlags(), unknown, seen -> hold(flags, seen)))
        && (icmp == null || is(packet.icmp(), unknown, seen -> hold(icmp, seen)))
        && (fragment == null || is(packet.fragment(), unknown, seen -> hold(fragment, seen)))
        && (term.dscps().isEmpty() || term.dscps().contains(packet.dscp()))
        && (term.packetLengths().isEmpty()
            || term.packetLengths().stream()
                .anyMatch(
                    range -> range.from() <= packet.length() && packet.length() <= range.to()));
  }

  private static boolean is(Seen seen, boolean unknown, IntPredicate holds) {
    return seen.known() ? seen.value().isPresent() && holds.test(seen.value().getAsInt()) : unknown;
  }

  private static boolean isOneOf(List<PortRange> ranges, Seen port, boolean unknown) {
    return ranges.isEmpty()
        || is(
            port,
            unknown,
            seen -> ranges.stream().anyMatch(each -> each.from() <= seen && seen <= each.to()));
  }

  private static boolean hold(TcpFlags asked, int flags) {
    return asked.allSet().stream().allMatch(flag -> (flags & flag.bit()) != 0)
        && asked.allUnset().stream().noneMatch(flag -> (flags & flag.bit()) != 0);
  }

  private static boolean hold(Icmp asked, int typeAndCode) {
    return Integer.valueOf(typeAndCode >> 8).equals(asked.type())
        && (asked.code() == null || asked.code() == (typeAndCode & 0xff));
  }

  private static boolean hold(Fragment asked, int part) {
    return switch (asked) {
      case None -> part == 0;
      case First -> part == 1;
      case Later -> part == 2;
      case Any -> part > 0;
    };
  }

  private static boolean isIn(
      List<String> in, List<String> notIn, SeenPacket packet, boolean source) {
    byte[] address = packet.address(source);
    return (in.isEmpty() || in.stream().anyMatch(cidr -> holds(cidr, address)))
        && notIn.stream().noneMatch(cidr -> holds(cidr, address));
  }

  private static boolean holds(String text, byte[] address) {
    Cidr cidr = Cidr.parse(text).orElseThrow();
    byte[] network = cidr.address().getAddress();
    if (network.length != address.length) {
      return false;
    }
    for (int bit = 0; bit < cidr.prefixLength(); bit++) {
      if (((network[bit / 8] ^ address[bit / 8]) & 0x80 >> bit % 8) != 0) {
        return false;
      }
    }
    return true;
  }

  /** A term that asks for some fields of packets. */
  static NodeMatchTerm random(Random random) {
    boolean flags = random.nextInt(3) == 0;
    boolean icmp = !flags && random.nextInt(3) == 0;
    boolean ports = !icmp && random.nextInt(3) == 0;
    return new NodeMatchTerm(
        flags ? Integer.valueOf(6) : icmp ? pick(random, 1, 58) : protocol(random, ports),
        networks(random),
        networks(random),
        ports(random, ports),
        ports(random, ports),
        !flags && !icmp && random.nextInt(6) == 0,
        networks(random),
        networks(random),
        flags ? flags(random) : null,
        icmp ? new Icmp(pick(random, 8, 128, 134, 135), random.nextBoolean() ? 0 : null) : null,
        random.nextInt(4) == 0 ? List.of(0, random.nextInt(64)) : List.of(),
        random.nextInt(4) == 0
            ? List.of(new LengthRange(20 + random.nextInt(100), 120 + random.nextInt(65_416)))
            : List.of(),
        random.nextInt(3) == 0 ? FRAGMENTS[random.nextInt(FRAGMENTS.length)] : null);
  }

  private static @Nullable Integer protocol(Random random, boolean ports) {
    return ports || random.nextInt(3) == 0 ? null : pick(random, PROTOCOLS);
  }

  private static Integer pick(Random random, int... from) {
    return from[random.nextInt(from.length)];
  }

  private static List<String> networks(Random random) {
    return random.nextInt(4) == 0
        ? List.of(NETWORKS.get(random.nextInt(NETWORKS.size())))
        : List.of();
  }

  private static List<PortRange> ports(Random random, boolean asked) {
    int from = random.nextInt(65_536);
    return asked && random.nextBoolean()
        ? List.of(new PortRange(from / 2, from / 2 + 32_767))
        : List.of();
  }

  private static TcpFlags flags(Random random) {
    List<TcpFlag> shuffled = new ArrayList<>(Arrays.asList(FLAGS));
    Collections.shuffle(shuffled, random);
    return new TcpFlags(
        shuffled.subList(0, random.nextInt(2)), shuffled.subList(2, 3 + random.nextInt(2)));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import dev.tokenbucket.api.v1alpha1.PolicyResolver.InvalidPolicyException;
import io.fabric8.kubernetes.api.model.IntOrString;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Resolves match terms to canonical form: protocols as numbers; networks and ports sorted and
 * distinct; port ranges that overlap or adjoin merged. Pure.
 */
final class MatchResolver {
  private static final int TCP = IpProtocol.TCP.number();

  /** The highest port, and the greatest length. */
  private static final int GREATEST = 65_535;

  /** The length of an IPv4 header. */
  private static final int LEAST_LENGTH = 20;

  private static final Pattern RANGE = Pattern.compile("([0-9]{1,5})(?:-([0-9]{1,5}))?");
  private static final NodeMatchTerm NEW_CONNECTIONS =
      new NodeMatchTerm(TCP, List.of(), List.of(), List.of(), List.of(), true);

  private MatchResolver() {}

  /** The terms of packets to limit; for a rate of connections, only packets that open one. */
  static List<NodeMatchTerm> match(@Nullable List<MatchTerm> terms, RateUnit unit) {
    if (unit != RateUnit.Connections) {
      return terms("spec.match", terms, UnaryOperator.identity());
    }
    return terms == null
        ? List.of(NEW_CONNECTIONS)
        : terms("spec.match", terms, term -> term.ofNewConnections(TCP));
  }

  static List<NodeMatchTerm> exempt(@Nullable List<MatchTerm> terms) {
    return terms("spec.exempt", terms, UnaryOperator.identity());
  }

  private static List<NodeMatchTerm> terms(
      String field, @Nullable List<MatchTerm> terms, UnaryOperator<NodeMatchTerm> narrow) {
    if (terms == null) {
      return List.of();
    }
    return IntStream.range(0, terms.size())
        .mapToObj(i -> narrow.apply(term(field + "[" + i + "]", terms.get(i))))
        .distinct()
        .sorted(NodeMatchTerm.CANONICAL)
        .toList();
  }

  private static NodeMatchTerm term(String field, MatchTerm term) {
    boolean newConnectionsOnly = Boolean.TRUE.equals(term.newConnectionsOnly());
    boolean tcp = newConnectionsOnly || term.tcpFlags() != null;
    Integer protocol =
        term.protocol() == null ? null : protocol(field + ".protocol", term.protocol());
    return new NodeMatchTerm(
        tcp ? Integer.valueOf(TCP) : protocol,
        networks(field + ".sourceCIDRs", term.sourceCIDRs()),
        networks(field + ".destinationCIDRs", term.destinationCIDRs()),
        ports(field + ".sourcePorts", term.sourcePorts(), term.notSourcePorts()),
        ports(field + ".destinationPorts", term.destinationPorts(), term.notDestinationPorts()),
        newConnectionsOnly,
        networks(field + ".notSourceCIDRs", term.notSourceCIDRs()),
        networks(field + ".notDestinationCIDRs", term.notDestinationCIDRs()),
        term.tcpFlags() == null ? null : term.tcpFlags().canonical(),
        icmp(field + ".icmp", term.icmp()),
        NodePolicy.orEmpty(term.dscps()).stream().distinct().sorted().toList(),
        lengths(field + ".packetLengths", term.packetLengths()),
        term.fragment(),
        sets(term.sourceAddressSets()),
        sets(term.destinationAddressSets()));
  }

  private static List<AddressSetRef> sets(@Nullable List<String> names) {
    return NodePolicy.orEmpty(names).stream()
        .distinct()
        .sorted()
        .map(AddressSetRef::named)
        .toList();
  }

  private static @Nullable Icmp icmp(String field, @Nullable Icmp icmp) {
    if (icmp != null && icmp.type() == null) {
      throw new InvalidPolicyException(field + ".type: Required value");
    }
    return icmp;
  }

  private static int protocol(String field, IntOrString protocol) {
    String text = text(protocol);
    if (!text.matches(MatchRules.PROTOCOL)) {
      throw invalid(field, text, "must be a protocol's name or a number from 0 to 255");
    }
    return IpProtocol.number(text).orElseThrow();
  }

  private static List<String> networks(String field, @Nullable List<String> texts) {
    if (texts == null) {
      return List.of();
    }
    return texts.stream()
        .map(text -> Cidr.parse(text).orElseThrow(() -> invalid(field, text, "must be a CIDR")))
        .map(cidr -> cidr.masked().toString())
        .distinct()
        .sorted()
        .toList();
  }

  /**
   * A term's ports: all ports but {@code but} if that is set, otherwise {@code ports}; absent ports
   * set no condition.
   */
  private static List<PortRange> ports(
      String field, @Nullable List<IntOrString> ports, @Nullable List<IntOrString> but) {
    return but == null ? ports(field, ports) : others(ports(field, but));
  }

  private static List<PortRange> ports(String field, @Nullable List<IntOrString> ports) {
    return ranges(field, ports, 1, MatchRules.PORT_MESSAGE);
  }

  private static List<LengthRange> lengths(String field, @Nullable List<IntOrString> lengths) {
    return ranges(field, lengths, LEAST_LENGTH, MatchRules.LENGTH_MESSAGE).stream()
        .map(range -> new LengthRange(range.from(), range.to()))
        .toList();
  }

  /** The ports that a packet can have, including 0, that are in none of these ranges. */
  private static List<PortRange> others(List<PortRange> apart) {
    List<PortRange> others = new ArrayList<>();
    int from = 0;
    for (PortRange each : apart) {
      if (each.from() > from) {
        others.add(new PortRange(from, each.from() - 1));
      }
      from = each.to() + 1;
    }
    if (from <= GREATEST) {
      others.add(new PortRange(from, GREATEST));
    }
    return List.copyOf(others);
  }

  /** Parses ranges, sorted and merged to the fewest equivalent ones. */
  private static List<PortRange> ranges(
      String field, @Nullable List<IntOrString> texts, int least, String allowed) {
    List<PortRange> sorted =
        NodePolicy.orEmpty(texts).stream()
            .map(each -> range(field, text(each), least, allowed))
            .sorted(Comparator.comparingInt(PortRange::from).thenComparingInt(PortRange::to))
            .toList();
    List<PortRange> apart = new ArrayList<>();
    for (PortRange next : sorted) {
      PortRange last = apart.isEmpty() ? null : apart.get(apart.size() - 1);
      if (last != null && next.from() <= last.to() + 1) {
        apart.set(apart.size() - 1, new PortRange(last.from(), Math.max(last.to(), next.to())));
      } else {
        apart.add(next);
      }
    }
    return List.copyOf(apart);
  }

  private static PortRange range(String field, String text, int least, String allowed) {
    Matcher matcher = RANGE.matcher(text);
    if (!matcher.matches()) {
      throw invalid(field, text, allowed);
    }
    int from = Integer.parseInt(matcher.group(1));
    int to = matcher.group(2) == null ? from : Integer.parseInt(matcher.group(2));
    if (from < least || to > GREATEST || from > to) {
      throw invalid(field, text, allowed);
    }
    return new PortRange(from, to);
  }

  private static String text(IntOrString value) {
    return value.getIntVal() == null ? value.getStrVal() : value.getIntVal().toString();
  }

  private static InvalidPolicyException invalid(String field, String value, String allowed) {
    return new InvalidPolicyException(field + ": Invalid value: \"" + value + "\": " + allowed);
  }
}

package dev.tokenbucket.api.v1alpha1;

import dev.tokenbucket.api.v1alpha1.PolicyResolver.InvalidPolicyException;
import io.fabric8.kubernetes.api.model.IntOrString;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Match terms in canonical form: protocols as numbers, networks and ports sorted, once each, port
 * ranges that overlap or adjoin as one. Pure.
 */
final class MatchResolver {
  private static final int TCP = 6;
  private static final Map<String, Integer> PROTOCOLS =
      Map.of("TCP", TCP, "UDP", 17, "SCTP", 132, "ICMP", 1, "ICMPv6", 58);
  private static final Pattern PORTS = Pattern.compile("([0-9]{1,5})(?:-([0-9]{1,5}))?");
  private static final NodeMatchTerm NEW_CONNECTIONS =
      new NodeMatchTerm(TCP, List.of(), List.of(), List.of(), List.of(), true);

  private MatchResolver() {}

  /** What is limited; of a rate of connections only packets that open one. */
  static List<NodeMatchTerm> match(@Nullable List<MatchTerm> terms, RateUnit unit) {
    if (unit != RateUnit.Connections) {
      return terms("spec.match", terms, UnaryOperator.identity());
    }
    return terms == null
        ? List.of(NEW_CONNECTIONS)
        : terms("spec.match", terms, MatchResolver::ofNewConnections);
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

  private static NodeMatchTerm ofNewConnections(NodeMatchTerm term) {
    return new NodeMatchTerm(
        TCP,
        term.sourceCIDRs(),
        term.destinationCIDRs(),
        term.sourcePorts(),
        term.destinationPorts(),
        true);
  }

  private static NodeMatchTerm term(String field, MatchTerm term) {
    boolean newConnectionsOnly = Boolean.TRUE.equals(term.newConnectionsOnly());
    Integer protocol =
        term.protocol() == null ? null : protocol(field + ".protocol", term.protocol());
    return new NodeMatchTerm(
        newConnectionsOnly ? Integer.valueOf(TCP) : protocol,
        networks(field + ".sourceCIDRs", term.sourceCIDRs()),
        networks(field + ".destinationCIDRs", term.destinationCIDRs()),
        ports(field + ".sourcePorts", term.sourcePorts()),
        ports(field + ".destinationPorts", term.destinationPorts()),
        newConnectionsOnly);
  }

  private static int protocol(String field, IntOrString protocol) {
    String text = text(protocol);
    if (!text.matches(MatchRules.PROTOCOL)) {
      throw invalid(field, text, "must be a protocol's name or a number from 0 to 255");
    }
    Integer number = PROTOCOLS.get(text);
    return number == null ? Integer.parseInt(text) : number;
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

  private static List<PortRange> ports(String field, @Nullable List<IntOrString> ports) {
    if (ports == null) {
      return List.of();
    }
    List<PortRange> sorted =
        ports.stream()
            .map(port -> range(field, text(port)))
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

  private static PortRange range(String field, String text) {
    Matcher matcher = PORTS.matcher(text);
    if (!matcher.matches()) {
      throw invalid(field, text, MatchRules.PORT_MESSAGE);
    }
    int from = Integer.parseInt(matcher.group(1));
    int to = matcher.group(2) == null ? from : Integer.parseInt(matcher.group(2));
    if (from < 1 || to > 65_535 || from > to) {
      throw invalid(field, text, MatchRules.PORT_MESSAGE);
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

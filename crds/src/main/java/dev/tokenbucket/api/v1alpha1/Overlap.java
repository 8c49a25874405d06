package dev.tokenbucket.api.v1alpha1;

import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Whether two policies may judge the same packet on a node that has both. Conservative: what the
 * policies alone cannot exclude counts as possible, and {@code exempt} is not looked at.
 */
public final class Overlap {
  private static final String LOOPBACK = "lo";
  private static final Set<Integer> WITH_PORTS = Set.of(6, 17, 132);

  private Overlap() {}

  /** Symmetric; true for a policy and itself. */
  public static boolean possible(NodePolicy a, NodePolicy b) {
    return a.direction() == b.direction()
        && anyPair(a.interfaces(), b.interfaces(), Overlap::mayCoincide)
        && (a.match().isEmpty()
            || b.match().isEmpty()
            || anyPair(a.match(), b.match(), Overlap::intersect));
  }

  private static <T> boolean anyPair(List<T> these, List<T> those, BiPredicate<T, T> holds) {
    return these.stream().anyMatch(a -> those.stream().anyMatch(b -> holds.test(a, b)));
  }

  private static boolean mayCoincide(InterfaceSelector a, InterfaceSelector b) {
    if (a.defaultRoute() != null || b.defaultRoute() != null) {
      return true;
    }
    if (a.name() != null) {
      return selects(b, a.name());
    }
    if (b.name() != null) {
      return selects(a, b.name());
    }
    return mayCoincide(String.valueOf(a.pattern()), String.valueOf(b.pattern()));
  }

  private static boolean selects(InterfaceSelector selector, String name) {
    if (selector.name() != null) {
      return selector.name().equals(name);
    }
    return !name.equals(LOOPBACK)
        && matches(selector.pattern(), name)
        && (selector.exclude() == null
            || selector.exclude().stream().noneMatch(each -> matches(each, name)));
  }

  private static boolean matches(@Nullable String glob, String name) {
    StringBuilder regex = new StringBuilder();
    for (char c : Objects.requireNonNullElse(glob, "").toCharArray()) {
      regex.append(c == '*' ? ".*" : c == '?' ? "." : Pattern.quote(String.valueOf(c)));
    }
    return name.matches(regex.toString());
  }

  /** Two patterns are apart for certain where what precedes or follows their wildcards differs. */
  private static boolean mayCoincide(String a, String b) {
    String headA = a.split("[*?]", 2)[0];
    String headB = b.split("[*?]", 2)[0];
    String tailA = tail(a);
    String tailB = tail(b);
    return (headA.startsWith(headB) || headB.startsWith(headA))
        && (tailA.endsWith(tailB) || tailB.endsWith(tailA));
  }

  private static String tail(String pattern) {
    return pattern.substring(Math.max(pattern.lastIndexOf('*'), pattern.lastIndexOf('?')) + 1);
  }

  private static boolean intersect(NodeMatchTerm a, NodeMatchTerm b) {
    return sameProtocolPossible(a, b)
        && portsIntersect(a.sourcePorts(), b.sourcePorts())
        && portsIntersect(a.destinationPorts(), b.destinationPorts())
        && networksIntersect(a.sourceCIDRs(), b.sourceCIDRs())
        && networksIntersect(a.destinationCIDRs(), b.destinationCIDRs());
  }

  private static boolean sameProtocolPossible(NodeMatchTerm a, NodeMatchTerm b) {
    if (a.protocol() != null && b.protocol() != null) {
      return a.protocol().equals(b.protocol());
    }
    return (a.protocol() == null || allows(b, a.protocol()))
        && (b.protocol() == null || allows(a, b.protocol()));
  }

  private static boolean allows(NodeMatchTerm term, int protocol) {
    boolean ports = !term.sourcePorts().isEmpty() || !term.destinationPorts().isEmpty();
    return term.protocol() != null
        ? term.protocol() == protocol
        : !ports || WITH_PORTS.contains(protocol);
  }

  private static boolean portsIntersect(List<PortRange> these, List<PortRange> those) {
    return these.isEmpty()
        || those.isEmpty()
        || anyPair(these, those, (a, b) -> a.from() <= b.to() && b.from() <= a.to());
  }

  private static boolean networksIntersect(List<String> these, List<String> those) {
    return these.isEmpty()
        || those.isEmpty()
        || anyPair(networks(these), networks(those), Overlap::intersect);
  }

  private static List<Cidr> networks(List<String> texts) {
    return texts.stream().flatMap(text -> Cidr.parse(text).stream()).toList();
  }

  private static boolean intersect(Cidr a, Cidr b) {
    if (!a.address().getClass().equals(b.address().getClass())) {
      return false;
    }
    int shared = Math.min(a.prefixLength(), b.prefixLength());
    return new Cidr(a.address(), shared).masked().equals(new Cidr(b.address(), shared).masked());
  }
}

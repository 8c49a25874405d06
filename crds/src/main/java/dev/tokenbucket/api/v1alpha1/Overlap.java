// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import java.util.List;
import java.util.Set;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The packets that a policy may judge, prepared for comparison with those of other policies.
 * Conservative: cases that policies alone cannot exclude count as possible, and {@code exempt} is
 * ignored.
 */
public final class Overlap {
  private static final Set<Integer> WITH_PORTS = Set.of(6, 17, 132);

  private final Direction direction;
  private final List<InterfaceSelector> interfaces;
  private final List<Term> terms;

  /** A term with its networks as sets; null: any address, as that of a set that may change. */
  private record Term(
      NodeMatchTerm term, @Nullable AddressSet sources, @Nullable AddressSet destinations) {
    static Term of(NodeMatchTerm term) {
      return new Term(
          term,
          networks(term.sourceCIDRs(), term.sourceAddressSets()),
          networks(term.destinationCIDRs(), term.destinationAddressSets()));
    }

    private static @Nullable AddressSet networks(List<String> cidrs, List<AddressSetRef> sets) {
      return cidrs.isEmpty() || !sets.isEmpty() ? null : AddressSet.of(cidrs);
    }

    boolean meets(Term other) {
      return sameProtocolPossible(term, other.term)
          && portsIntersect(term.sourcePorts(), other.term.sourcePorts())
          && portsIntersect(term.destinationPorts(), other.term.destinationPorts())
          && agree(term.tcpFlags(), other.term.tcpFlags(), TcpFlags::agreesWith)
          && agree(term.icmp(), other.term.icmp(), Icmp::agreesWith)
          && agree(term.fragment(), other.term.fragment(), Fragment::agreesWith)
          && haveCommon(term.dscps(), other.term.dscps(), Integer::equals)
          && haveCommon(
              term.packetLengths(),
              other.term.packetLengths(),
              (a, b) -> a.from() <= b.to() && b.from() <= a.to())
          && meet(sources, other.sources)
          && meet(destinations, other.destinations);
    }

    private static <T> boolean agree(@Nullable T a, @Nullable T b, BiPredicate<T, T> holds) {
      return a == null || b == null || holds.test(a, b);
    }

    private static boolean meet(@Nullable AddressSet a, @Nullable AddressSet b) {
      return a == null || b == null || a.meets(b);
    }
  }

  private Overlap(NodePolicy policy) {
    direction = policy.direction();
    interfaces = policy.interfaces();
    terms = policy.match().stream().map(Term::of).toList();
  }

  /** The packets that a policy may judge. */
  public static Overlap of(NodePolicy policy) {
    return new Overlap(policy);
  }

  /** Whether two policies may judge the same packet on a node that has both. */
  public static boolean possible(NodePolicy a, NodePolicy b) {
    return of(a).with(of(b));
  }

  /** Whether both may judge the same packet; symmetric, and true for a policy and itself. */
  public boolean with(Overlap other) {
    return direction == other.direction
        && anyPair(interfaces, other.interfaces, Overlap::mayCoincide)
        && (terms.isEmpty() || other.terms.isEmpty() || anyPair(terms, other.terms, Term::meets));
  }

  private static <T> boolean anyPair(List<T> these, List<T> those, BiPredicate<T, T> holds) {
    return these.stream().anyMatch(a -> those.stream().anyMatch(b -> holds.test(a, b)));
  }

  private static boolean mayCoincide(InterfaceSelector a, InterfaceSelector b) {
    if (a.defaultRoute() != null || b.defaultRoute() != null) {
      return true;
    }
    if (a.name() != null) {
      return b.selects(a.name());
    }
    if (b.name() != null) {
      return a.selects(b.name());
    }
    return mayCoincide(String.valueOf(a.pattern()), String.valueOf(b.pattern()));
  }

  /**
   * Whether two patterns may match the same name. They surely do not if the text before or after
   * their wildcards differs.
   */
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

  /** Whether two lists have a matching pair of items; an empty list sets no condition. */
  private static <T> boolean haveCommon(List<T> these, List<T> those, BiPredicate<T, T> same) {
    return these.isEmpty() || those.isEmpty() || anyPair(these, those, same);
  }

  private static boolean portsIntersect(List<PortRange> these, List<PortRange> those) {
    return haveCommon(these, those, (a, b) -> a.from() <= b.to() && b.from() <= a.to());
  }
}

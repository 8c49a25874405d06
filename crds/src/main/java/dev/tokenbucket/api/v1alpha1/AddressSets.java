// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The address sets that a policy's terms name. Pure. */
public final class AddressSets {
  /**
   * A network that stands for no address: a term that asks for it also excludes it. Without a
   * network, the term would match every address.
   */
  private static final String NOWHERE = "0.0.0.0/32";

  private AddressSets() {}

  /** The names of the sets, sorted. */
  public static Set<String> names(NodePolicy policy) {
    return refs(policy).stream()
        .map(AddressSetRef::name)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** The sets with the contents that the policy asks for. */
  public static Set<AddressSetRef> refs(NodePolicy policy) {
    return Stream.concat(policy.match().stream(), policy.exempt().stream())
        .flatMap(
            term ->
                Stream.concat(
                    term.sourceAddressSets().stream(), term.destinationAddressSets().stream()))
        .collect(Collectors.toUnmodifiableSet());
  }

  /** Identifies the sets with their contents; null if the policy names none. */
  public static @Nullable String digest(NodePolicy policy) {
    List<String> sets =
        refs(policy).stream().map(set -> set.name() + " " + set.contentHash()).sorted().toList();
    return sets.isEmpty() ? null : AddressSetContents.digest(sets);
  }

  /** The policy with other references to the same sets. */
  public static NodePolicy refer(NodePolicy policy, Function<String, AddressSetRef> refs) {
    UnaryOperator<List<AddressSetRef>> renew =
        sets -> sets.stream().map(set -> refs.apply(set.name())).toList();
    return withTerms(
        policy,
        term ->
            term.withAddresses(
                term.sourceCIDRs(),
                term.notSourceCIDRs(),
                renew.apply(term.sourceAddressSets()),
                term.destinationCIDRs(),
                term.notDestinationCIDRs(),
                renew.apply(term.destinationAddressSets())));
  }

  /**
   * The policy with the sets' networks in place of the sets. A term that asks for empty sets alone
   * matches nothing.
   *
   * @param contents the networks of a set
   */
  public static NodePolicy expand(
      NodePolicy policy, Function<AddressSetRef, List<String>> contents) {
    return withTerms(policy, term -> expand(term, contents));
  }

  private static NodeMatchTerm expand(
      NodeMatchTerm term, Function<AddressSetRef, List<String>> contents) {
    Side source =
        Side.of(term.sourceCIDRs(), term.notSourceCIDRs(), term.sourceAddressSets(), contents);
    Side destination =
        Side.of(
            term.destinationCIDRs(),
            term.notDestinationCIDRs(),
            term.destinationAddressSets(),
            contents);
    return term.withAddresses(
        source.in(), source.notIn(), List.of(), destination.in(), destination.notIn(), List.of());
  }

  /** The networks for one of a packet's addresses. */
  private record Side(List<String> in, List<String> notIn) {
    static Side of(
        List<String> in,
        List<String> notIn,
        List<AddressSetRef> sets,
        Function<AddressSetRef, List<String>> contents) {
      List<String> all =
          Stream.concat(in.stream(), sets.stream().flatMap(set -> contents.apply(set).stream()))
              .distinct()
              .sorted()
              .toList();
      return sets.isEmpty() || !all.isEmpty()
          ? new Side(all, notIn)
          : new Side(List.of(NOWHERE), Stream.concat(notIn.stream(), Stream.of(NOWHERE)).toList());
    }
  }

  private static NodePolicy withTerms(NodePolicy policy, UnaryOperator<NodeMatchTerm> change) {
    return refs(policy).isEmpty()
        ? policy
        : policy.withTerms(
            policy.match().stream().map(change).toList(),
            policy.exempt().stream().map(change).toList());
  }
}

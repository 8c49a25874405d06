// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.plan;

import dev.tokenbucket.api.v1alpha1.AddressSetRef;
import dev.tokenbucket.api.v1alpha1.AddressSets;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.ExceedAction;
import dev.tokenbucket.api.v1alpha1.InterfaceSelector;
import dev.tokenbucket.api.v1alpha1.NodeLimits;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.Reasons;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToIntFunction;

/**
 * How much of the capacity of its agent and its node state a node's policies use. The plan ignores
 * which interfaces a host has, so that it does not change as interfaces come and go: policies share
 * a hook if they select interfaces in the same words, or if one selects a name and the other a
 * pattern that the name matches. The agent finds the other cases, such as two names of one
 * interface.
 */
final class NodeLoad {
  /**
   * The bytes available for a node state's entries: 256 KiB minus metadata, overlaps, failsafe and
   * preflight.
   */
  static final int ROOM_BYTES = (256 - 32) * 1024;

  /**
   * The networks of address sets that a node can hold: an agent with more would come near its
   * memory limit.
   */
  static final int ADDRESS_SET_CIDRS = 20_000;

  private final NodeLimits limits;
  private final ToIntFunction<NodePolicy> bytesOf;
  private final List<NodePolicy> entries = new ArrayList<>();
  private long bytes;
  private int policies;
  private final Set<AddressSetRef> addressSets = new HashSet<>();

  /**
   * @param bytesOf the bytes that an entry takes in a node state
   */
  NodeLoad(NodeLimits limits, ToIntFunction<NodePolicy> bytesOf) {
    this.limits = limits;
    this.bytesOf = bytesOf;
  }

  List<NodePolicy> entries() {
    return entries;
  }

  void add(NodePolicy entry) {
    entries.add(entry);
    bytes += bytesOf.applyAsInt(entry);
    policies += weight(entry);
    addressSets.addAll(AddressSets.refs(entry));
  }

  /** The reason why there is no room for another entry; empty if there is room. */
  Optional<Refusal> refuses(NodePolicy entry) {
    if (bytes + bytesOf.applyAsInt(entry) > ROOM_BYTES) {
      return Optional.of(
          new Refusal(
              Reasons.NODE_STATE_TOO_LARGE,
              "the node state would be larger than 256 KiB; shorten match and exempt, or let"
                  + " fewer policies select this node"));
    }
    int sum = policies + weight(entry);
    if (sum > limits.policies()) {
      return exceeded(
          ("a node holds at most %d policies, where a policy with exceed.action MarkECN"
                  + " or bucket.parent counts twice; this policy and those before it in order make %d")
              .formatted(limits.policies(), sum));
    }
    return addressSetsRefuse(entry).or(() -> hookRefuses(entry));
  }

  private Optional<Refusal> addressSetsRefuse(NodePolicy entry) {
    Set<AddressSetRef> asked = AddressSets.refs(entry);
    if (asked.isEmpty()) {
      return Optional.empty();
    }
    Set<AddressSetRef> all = new HashSet<>(addressSets);
    all.addAll(asked);
    long cidrs = cidrs(all);
    return cidrs <= ADDRESS_SET_CIDRS
        ? Optional.empty()
        : exceeded(
            ("a node holds at most %d networks of address sets, each set counted once; this policy"
                    + " and those before it in order name sets of %d")
                .formatted(ADDRESS_SET_CIDRS, cidrs));
  }

  private static long cidrs(Set<AddressSetRef> sets) {
    return sets.stream().mapToLong(AddressSetRef::cidrs).sum();
  }

  /** The networks of the address sets that a policy names. */
  static long addressSetCidrs(NodePolicy entry) {
    return cidrs(AddressSets.refs(entry));
  }

  private Optional<Refusal> hookRefuses(NodePolicy entry) {
    List<NodePolicy> sameWay =
        entries.stream().filter(other -> other.direction() == entry.direction()).toList();
    if (sameWay.size() < limits.policiesPerHook()
        && terms(sameWay) + terms(entry) <= limits.termsPerHook()) {
      return Optional.empty();
    }
    return places(entry, sameWay).stream()
        .map(place -> placeRefuses(entry, place, sameWay))
        .flatMap(Optional::stream)
        .findFirst();
  }

  private Optional<Refusal> placeRefuses(
      NodePolicy entry, InterfaceSelector place, List<NodePolicy> sameWay) {
    List<NodePolicy> there = sameWay.stream().filter(other -> isOn(other, place)).toList();
    if (there.size() >= limits.policiesPerHook()) {
      return exceeded(
          ("%s: an interface holds at most %d policies per direction, and that many come"
                  + " before this one in order")
              .formatted(text(place, entry.direction()), limits.policiesPerHook()));
    }
    int sum = terms(there) + terms(entry);
    return sum <= limits.termsPerHook()
        ? Optional.empty()
        : exceeded(
            ("%s: an interface holds at most %d terms of match and exempt per direction;"
                    + " this policy and those before it in order have %d")
                .formatted(text(place, entry.direction()), limits.termsPerHook(), sum));
  }

  private static Optional<Refusal> exceeded(String limit) {
    return Optional.of(
        new Refusal(Reasons.NODE_LIMIT_EXCEEDED, limit + "; let fewer policies select this node"));
  }

  /** The interfaces that a policy is certain to be on, if the host has them. */
  private static Set<InterfaceSelector> places(NodePolicy entry, List<NodePolicy> others) {
    Set<InterfaceSelector> places = new LinkedHashSet<>(entry.interfaces());
    others.stream()
        .flatMap(other -> other.interfaces().stream())
        .filter(place -> place.name() != null && isOn(entry, place))
        .forEach(places::add);
    return places;
  }

  private static boolean isOn(NodePolicy entry, InterfaceSelector place) {
    return entry.interfaces().stream()
        .anyMatch(
            selector ->
                selector.equals(place) || (place.name() != null && selector.selects(place.name())));
  }

  private static String text(InterfaceSelector place, Direction direction) {
    String name =
        place.defaultRoute() != null
            ? "interfaces with a default route"
            : Objects.requireNonNullElseGet(place.name(), () -> String.valueOf(place.pattern()));
    return name + " " + direction;
  }

  /** The number of slots: a policy that marks or has a parent bucket has a second one. */
  static int weight(NodePolicy entry) {
    return entry.action() == ExceedAction.MarkECN || entry.parent() != null ? 2 : 1;
  }

  static int terms(NodePolicy entry) {
    return entry.match().size() + entry.exempt().size();
  }

  private static int terms(List<NodePolicy> entries) {
    return entries.stream().mapToInt(NodeLoad::terms).sum();
  }
}

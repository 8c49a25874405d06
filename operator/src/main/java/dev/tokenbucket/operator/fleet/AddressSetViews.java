// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.TokenBucketAddressSet;
import dev.tokenbucket.operator.plan.KnownAddressSets;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The address sets as last seen. Not thread-safe. */
final class AddressSetViews implements KnownAddressSets {
  private final Map<String, AddressSetView> sets = new HashMap<>();

  Set<String> names() {
    return Collections.unmodifiableSet(sets.keySet());
  }

  /** Whether this version of the set is known. */
  boolean has(TokenBucketAddressSet resource) {
    AddressSetView known = sets.get(resource.getMetadata().getName());
    return known != null && known.isOf(resource);
  }

  void put(AddressSetView set) {
    sets.put(set.name(), set);
  }

  /** Removes a set; returns whether it was known. */
  boolean remove(String name) {
    return sets.remove(name) != null;
  }

  @Override
  public Found find(String name) {
    AddressSetView set = sets.get(name);
    if (set == null) {
      return new Absent(KnownAddressSets.notFound(name));
    }
    return set.ref() == null
        ? new Absent("TokenBucketAddressSet \"" + name + "\" is invalid: " + set.problem())
        : new Present(set.ref());
  }

  /** What is known of a set, and the policies that name it; empty if there is no such set. */
  Optional<AddressSetReport> report(String name, Collection<TrackedPolicy> policies) {
    return Optional.ofNullable(sets.get(name))
        .map(
            set ->
                new AddressSetReport(
                    set.generation(),
                    set.ref() == null ? 0 : set.ref().cidrs(),
                    set.problem(),
                    policies.stream()
                        .filter(policy -> policy.addressSets().contains(name))
                        .map(TrackedPolicy::name)
                        .sorted()
                        .toList()));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import dev.tokenbucket.api.v1alpha1.AddressSetRef;
import dev.tokenbucket.api.v1alpha1.AddressSets;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.Reasons;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A node state's entries with the networks of their address sets. An entry whose sets are not there
 * yet is represented by the last one in force, if there is one: without its set, a term would match
 * everything or nothing.
 *
 * @param policies what to run, in the order in which it applies
 * @param entries the entries behind these policies, as the node state has them
 * @param waiting by uid, what an entry waits for
 * @param missing the sets that are asked for and not there
 */
record AddressSetResolution(
    List<NodePolicy> policies,
    List<NodePolicy> entries,
    Map<String, DesiredState.Unsupported> waiting,
    Set<AddressSetRef> missing) {

  /**
   * Resolves entries.
   *
   * @param former by uid, the last entry in force of each policy
   */
  static AddressSetResolution of(
      List<NodePolicy> entries, Map<String, NodePolicy> former, AddressSetCache sets) {
    List<NodePolicy> inForce = new ArrayList<>();
    Map<String, DesiredState.Unsupported> waiting = new TreeMap<>();
    Set<AddressSetRef> missing = new HashSet<>();
    for (NodePolicy entry : entries) {
      Set<AddressSetRef> absent = absent(entry, sets);
      if (absent.isEmpty()) {
        inForce.add(entry);
        continue;
      }
      missing.addAll(absent);
      NodePolicy kept = former.get(entry.uid());
      if (kept != null && !absent(kept, sets).isEmpty()) {
        kept = null;
      }
      if (kept != null) {
        inForce.add(kept);
      }
      waiting.put(entry.uid(), waits(entry, absent, kept, sets));
    }
    inForce.sort(NodePolicy.ORDER);
    return new AddressSetResolution(
        inForce.stream().map(entry -> expand(entry, sets)).toList(),
        List.copyOf(inForce),
        waiting,
        missing);
  }

  private static Set<AddressSetRef> absent(NodePolicy entry, AddressSetCache sets) {
    return AddressSets.refs(entry).stream()
        .filter(ref -> sets.find(ref) == null)
        .collect(Collectors.toSet());
  }

  private static NodePolicy expand(NodePolicy entry, AddressSetCache sets) {
    return AddressSets.expand(entry, ref -> Objects.requireNonNull(sets.find(ref), ref.name()));
  }

  private static DesiredState.Unsupported waits(
      NodePolicy entry,
      Collection<AddressSetRef> absent,
      @Nullable NodePolicy kept,
      AddressSetCache sets) {
    String why =
        absent.stream()
            .map(ref -> "TokenBucketAddressSet \"" + ref.name() + "\": " + sets.problem(ref))
            .sorted()
            .collect(Collectors.joining("; "));
    return new DesiredState.Unsupported(
        entry.name(),
        entry.generation(),
        why
            + (kept == null
                ? "; until then the policy is not enforced on this node"
                : "; until then generation "
                    + kept.generation()
                    + " stays in force with the sets' earlier contents"),
        Reasons.PENDING);
  }
}

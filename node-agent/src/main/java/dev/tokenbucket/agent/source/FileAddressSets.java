// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import dev.tokenbucket.api.v1alpha1.AddressSetContents;
import dev.tokenbucket.api.v1alpha1.AddressSets;
import dev.tokenbucket.api.v1alpha1.MatchTerm;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicySpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The address sets of a policy file. They hold for the policies of the same file. */
final class FileAddressSets {
  private final Map<String, AddressSetContents> sets = new HashMap<>();

  /** Adds a set; returns whether its name was free. */
  boolean add(String name, List<String> cidrs) {
    return sets.putIfAbsent(name, AddressSetContents.of(cidrs)) == null;
  }

  /** The sets that a policy names and the file does not have, one reason each. */
  List<String> missing(TokenBucketPolicySpec spec) {
    List<String> missing = new ArrayList<>();
    missing("spec.match", spec.match(), missing);
    missing("spec.exempt", spec.exempt(), missing);
    return missing;
  }

  private void missing(String field, @Nullable List<MatchTerm> terms, List<String> missing) {
    for (int i = 0; terms != null && i < terms.size(); i++) {
      MatchTerm term = terms.get(i);
      String at = field + "[" + i + "]";
      missingNames(at + ".sourceAddressSets", term.sourceAddressSets(), missing);
      missingNames(at + ".destinationAddressSets", term.destinationAddressSets(), missing);
    }
  }

  private void missingNames(String field, @Nullable List<String> names, List<String> missing) {
    for (int i = 0; names != null && i < names.size(); i++) {
      if (!sets.containsKey(names.get(i))) {
        missing.add(
            ("%s[%d]: Not found: \"%s\": without a cluster the policy's file must hold the"
                    + " TokenBucketAddressSet of this name, as another document")
                .formatted(field, i, names.get(i)));
      }
    }
  }

  /** A policy with the networks of its sets; unchanged if the file does not have all of them. */
  NodePolicy expand(NodePolicy policy) {
    return sets.keySet().containsAll(AddressSets.names(policy))
        ? AddressSets.expand(policy, ref -> contents(ref.name()).cidrs())
        : policy;
  }

  private AddressSetContents contents(String name) {
    return Objects.requireNonNull(sets.get(name), name);
  }
}

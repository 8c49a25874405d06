// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.plan;

import dev.tokenbucket.api.v1alpha1.AddressSetRef;

/** The address sets that there are, by name. */
@FunctionalInterface
public interface KnownAddressSets {
  /** No set exists. */
  KnownAddressSets NONE = name -> new Absent(notFound(name));

  /** The set of this name. */
  Found find(String name);

  /** A set, or why a policy that names it can't be planned. */
  sealed interface Found {}

  /** A set with its current contents. */
  record Present(AddressSetRef ref) implements Found {}

  /**
   * No set that could be used.
   *
   * @param message why, and what to do
   */
  record Absent(String message) implements Found {}

  /** What to say of a name that no set has. */
  static String notFound(String name) {
    return ("TokenBucketAddressSet \"%s\" does not exist; create it, or take its name out of match"
            + " and exempt")
        .formatted(name);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.AddressSetContents;
import dev.tokenbucket.api.v1alpha1.AddressSetRef;
import dev.tokenbucket.api.v1alpha1.TokenBucketAddressSet;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The parts of an address set that matter to the operator, which do not include the networks.
 *
 * @param ref the current contents; null if they are invalid
 * @param problem what is invalid; empty if nothing is
 */
record AddressSetView(
    String name, String uid, long generation, @Nullable AddressSetRef ref, String problem) {

  /** Reads a set. For 10,000 networks this takes a while, so nothing should wait for it. */
  static AddressSetView of(TokenBucketAddressSet set) {
    ObjectMeta metadata = set.getMetadata();
    String uid = Objects.requireNonNullElse(metadata.getUid(), "");
    long generation = Objects.requireNonNullElse(metadata.getGeneration(), 0L);
    try {
      AddressSetContents contents =
          AddressSetContents.of(set.getSpec() == null ? List.of() : set.getSpec().cidrs());
      return new AddressSetView(
          metadata.getName(), uid, generation, contents.named(metadata.getName()), "");
    } catch (IllegalArgumentException e) {
      return new AddressSetView(
          metadata.getName(), uid, generation, null, String.valueOf(e.getMessage()));
    }
  }

  /** Whether a set as found in the API is the one that this view was read from. */
  boolean isOf(TokenBucketAddressSet set) {
    ObjectMeta metadata = set.getMetadata();
    return generation != 0
        && uid.equals(metadata.getUid())
        && Objects.equals(generation, metadata.getGeneration());
  }
}

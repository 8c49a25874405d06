// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.plan;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.Overlap;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.nio.charset.StandardCharsets;

/** Facts about entries that planning needs and a caller may cache. */
public interface EntryFacts {
  /** Whether two policies may judge the same packet; see {@link Overlap}. */
  boolean overlap(NodePolicy a, NodePolicy b);

  /** An entry's size as JSON, in bytes. */
  int bytes(NodePolicy entry);

  /** Facts that are computed at each call. */
  static EntryFacts computed() {
    KubernetesSerialization serialization = new KubernetesSerialization();
    return new EntryFacts() {
      @Override
      public boolean overlap(NodePolicy a, NodePolicy b) {
        return Overlap.possible(a, b);
      }

      @Override
      public int bytes(NodePolicy entry) {
        return serialization.asJson(entry).getBytes(StandardCharsets.UTF_8).length;
      }
    };
  }
}

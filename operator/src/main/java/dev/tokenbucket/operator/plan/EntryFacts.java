package dev.tokenbucket.operator.plan;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.Overlap;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.nio.charset.StandardCharsets;

/** What planning needs to know of entries and what a caller may want to remember. */
public interface EntryFacts {
  /** Whether two policies may judge the same packet; see {@link Overlap}. */
  boolean overlap(NodePolicy a, NodePolicy b);

  /** An entry's size as JSON, in bytes. */
  int bytes(NodePolicy entry);

  /** Computed at each call. */
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

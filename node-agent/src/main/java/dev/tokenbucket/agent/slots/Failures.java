// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.slots;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The reasons why policies are not in force as requested, gathered while a set is applied. A
 * failure belongs to one policy and does not stop the others. Not thread-safe.
 */
public final class Failures {
  /** Stands for a uid, for failures that belong to no wanted policy. */
  public static final String HOST = "host";

  private final Map<String, Set<String>> reasons = new TreeMap<>();

  public void add(String uid, String reason) {
    reasons.computeIfAbsent(uid, any -> new LinkedHashSet<>()).add(reason);
  }

  public void add(Collection<NodePolicy> policies, String reason) {
    policies.forEach(policy -> add(policy.uid(), reason));
  }

  boolean isEmpty() {
    return reasons.isEmpty();
  }

  /** All reasons per uid, joined. */
  public Map<String, String> byUid() {
    Map<String, String> all = new LinkedHashMap<>();
    reasons.forEach((uid, each) -> all.put(uid, String.join("; ", each)));
    return all;
  }
}

package dev.tokenbucket.agent.slots;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Why policies are not in force as asked, gathered while a set is applied: a failure is its own
 * policy's, and ends nothing for the others. One thread at a time.
 */
public final class Failures {
  /** In place of a uid, for what fails of no policy that is wanted. */
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

  /** By uid all that was said of it. */
  public Map<String, String> byUid() {
    Map<String, String> all = new LinkedHashMap<>();
    reasons.forEach((uid, each) -> all.put(uid, String.join("; ", each)));
    return all;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The policies of a folder's files, and how a new look at the folder changes them. Pure. A policy
 * is removed when its file is deleted or holds a new policy instead. A file that is refused, is
 * empty or has lost a document leaves its last valid content in force.
 *
 * @param good by file name, the policies of the file as of the last time it was valid
 */
public record PolicyFiles(SortedMap<String, List<NodePolicy>> good) {
  public PolicyFiles {
    good = new TreeMap<>(good);
  }

  /** What a file says now: its policies, or why it is refused. */
  public record Parsed(List<NodePolicy> policies, List<String> refusals) {
    static Parsed refused(List<String> why) {
      return new Parsed(List.of(), why);
    }
  }

  /** The files after a look, and what a user should know about them, one line each. */
  public record Merged(PolicyFiles files, List<String> refusals) {}

  /** The policies in the order of file names. */
  List<NodePolicy> policies() {
    return good.values().stream().flatMap(List::stream).toList();
  }

  /** The policies of all files by name. */
  Map<String, NodePolicy> byName() {
    Map<String, NodePolicy> all = new HashMap<>();
    policies().forEach(policy -> all.put(policy.name(), policy));
    return all;
  }

  /**
   * The policies in force once the files have this content.
   *
   * @param now by file name; a file that is missing here was deleted
   */
  public Merged merge(SortedMap<String, Parsed> now) {
    TreeMap<String, List<NodePolicy>> next = new TreeMap<>();
    List<String> refusals = new ArrayList<>();
    Set<String> names = new HashSet<>();
    now.forEach(
        (file, parsed) -> {
          List<String> why = new ArrayList<>(parsed.refusals());
          duplicates(parsed, names)
              .forEach(name -> why.add("metadata.name: Duplicate value: \"" + name + "\""));
          List<NodePolicy> said = why.isEmpty() ? parsed.policies() : without(names, before(file));
          why.forEach(each -> refusals.add(file + ": " + each));
          said.forEach(policy -> names.add(policy.name()));
          next.put(file, said);
        });
    now.keySet().forEach(file -> keepMissing(file, next, names, refusals));
    return new Merged(new PolicyFiles(next), List.copyOf(refusals));
  }

  private static List<String> duplicates(Parsed parsed, Set<String> taken) {
    Set<String> names = new HashSet<>(taken);
    return parsed.policies().stream()
        .map(NodePolicy::name)
        .filter(name -> !names.add(name))
        .toList();
  }

  private static List<NodePolicy> without(Set<String> names, List<NodePolicy> policies) {
    return policies.stream().filter(policy -> !names.contains(policy.name())).toList();
  }

  /**
   * Keeps policies that have disappeared from their file, unless another file has taken them over,
   * or the file holds a new policy. A new policy means that the file was rewritten and is not just
   * incomplete.
   */
  private void keepMissing(
      String file, Map<String, List<NodePolicy>> next, Set<String> names, List<String> refusals) {
    List<NodePolicy> said = new ArrayList<>(next.getOrDefault(file, List.of()));
    if (!names(before(file)).containsAll(names(said))) {
      return;
    }
    for (NodePolicy policy : before(file)) {
      if (names.add(policy.name())) {
        said.add(policy);
        refusals.add(
            ("%s: policy \"%s\" is no longer in this file, and the file holds no new"
                    + " policy; the limit of \"%2$s\" stays in force until the file is deleted or"
                    + " another file holds the policy")
                .formatted(file, policy.name()));
      }
    }
    next.put(file, List.copyOf(said));
  }

  private static List<String> names(List<NodePolicy> policies) {
    return policies.stream().map(NodePolicy::name).toList();
  }

  private List<NodePolicy> before(String file) {
    return good.getOrDefault(file, List.of());
  }
}

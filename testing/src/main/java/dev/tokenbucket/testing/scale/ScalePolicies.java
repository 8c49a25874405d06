// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.scale;

import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Policies as a cluster might have them: some select every node, each of the others selects one of
 * ten groups.
 *
 * @param all the number of policies
 * @param everywhere how many of them select every node
 */
record ScalePolicies(int all, int everywhere) {
  static final int GROUPS = 10;

  static Map<String, String> labels(int node) {
    return Map.of("group", group(node));
  }

  static String group(int node) {
    return "g" + node % GROUPS;
  }

  String name(int policy) {
    return "scale-%02d".formatted(policy);
  }

  /** How many of {@code nodes} a policy selects. */
  int selected(int policy, int nodes) {
    int group = policy % GROUPS;
    return policy < everywhere ? nodes : (nodes - group + GROUPS - 1) / GROUPS;
  }

  double entriesPerNode() {
    return everywhere + (all - everywhere) / (double) GROUPS;
  }

  /** All policies as one manifest. */
  String manifest() {
    return IntStream.range(0, all)
        .mapToObj(policy -> manifest(policy, 1_000))
        .collect(Collectors.joining("---\n"));
  }

  String manifest(int policy, long rate) {
    String selector =
        policy < everywhere ? "{}" : "{matchLabels: {group: %s}}".formatted(group(policy));
    return """
    apiVersion: tokenbucket.dev/v1alpha1
    kind: TokenBucketPolicy
    metadata: {name: %s}
    spec:
      nodeSelector: %s
      priority: %d
      bucket: {per: SourceIP}
      rate: {packetsPerSecond: %d}
      match: [{protocol: UDP, destinationPorts: [%d]}]
    """
        .formatted(name(policy), selector, policy, rate, 1_000 + policy);
  }
}

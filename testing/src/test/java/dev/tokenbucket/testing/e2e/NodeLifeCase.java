// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.testing.Poll;

/** Nodes are relabelled, drained and removed, and come back under the same name. */
record NodeLifeCase(RealNodes nodes) {
  private static final int RATE = 1_000;

  void relabelled(ClusterNode node) {
    nodes.apply(
        "labelled", RATE, "  nodeSelector: {matchLabels: {example.com/limited: \"yes\"}}\n");
    Poll.until(
        "word that no node is selected",
        () -> nodes.programmed("labelled").contains("NoNodeSelected"));
    nodes.kubectl("label", "node", node.name(), "example.com/limited=yes");
    nodes.awaitInForce("labelled");
    assertLimited(node);
    for (ClusterNode other : nodes.cluster().nodes()) {
      assertThat(nodes.enforces(other, "labelled")).isEqualTo(other.equals(node));
    }
    nodes.kubectl("label", "node", node.name(), "example.com/limited-");
    Poll.until("end of the limit", () -> !nodes.enforces(node, "labelled"));
    assertThat(nodes.arriving(node, 4 * RATE, 1)).isGreaterThan(3 * RATE);
    nodes.removePolicies();
  }

  void removedAndAddedAgainAfterItsPolicyWasDeleted(ClusterNode node) {
    nodes.apply("past", RATE, "");
    nodes.awaitInForce("past");
    nodes.kubectl(
        "drain", node.name(), "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=120s");
    assertLimited(node);
    // The kubelet stops first, because it would register the node again at once.
    node.stopKubelet();
    nodes.kubectl("delete", "node", node.name(), "--timeout=60s");
    nodes.removePolicies();
    assertLimited(node);

    node.startKubelet();
    nodes.cluster().awaitReady(node);
    nodes.awaitAgent(node);
    Poll.until(
        "end of the limit that nobody asks for",
        RealNodes.MINUTE,
        () -> !nodes.enforces(node, "past"));
    assertThat(nodes.arriving(node, 4 * RATE, 1)).isGreaterThan(3 * RATE);
  }

  private void assertLimited(ClusterNode node) {
    nodes.assertLimited(node, RATE, 2);
  }
}

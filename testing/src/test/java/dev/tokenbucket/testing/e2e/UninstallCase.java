// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.testing.Commands;
import java.nio.file.Files;

/** Uninstalls the release, with and without cleaning up the nodes. */
record UninstallCase(RealNodes nodes) {
  private static final int RATE = 1_000;
  private static final String CRD_NAMES = "tokenbucket.dev";

  void withCleanUpNothingIsLeft() {
    nodes.install();
    limit();
    long start = System.nanoTime();
    nodes.helm().uninstall();
    System.out.printf(
        "helm uninstall with clean-up took %.1f s%n", (System.nanoTime() - start) / 1e9);
    for (ClusterNode node : nodes.cluster().nodes()) {
      assertNothingOn(node);
      assertThat(nodes.arriving(node, 4 * RATE, 1)).isGreaterThan(3 * RATE);
    }
    assertThat(
            nodes.kubectl(
                "get",
                "pods,jobs,daemonsets,deployments,services,secrets,leases",
                "-n",
                Helm.NAMESPACE,
                "-o",
                "name"))
        .isEmpty();
    assertThat(nodes.kubectl("get", "tbp,tbns")).contains("No resources found");
    deleteCrds();
    assertThat(
            nodes.kubectl(
                "get",
                "clusterroles,clusterrolebindings,validatingadmissionpolicies,priorityclasses",
                "-o",
                "name"))
        .doesNotContain("tokenbucket");
  }

  void withoutItLimitsStayUntilTheyAreCleanedUp() {
    nodes.install("--set", "uninstall.cleanup=false");
    limit();
    nodes.helm().uninstall();
    for (ClusterNode node : nodes.cluster().nodes()) {
      assertThat(nodes.agent(node)).isEmpty();
      nodes.assertLimited(node, RATE, 2);
      node.run(Commands.repository().resolve("bin/tb").toString(), "cleanup");
      assertNothingOn(node);
      assertThat(nodes.arriving(node, 4 * RATE, 1)).isGreaterThan(3 * RATE);
    }
    // docs/operations.md describes this for policies whose operator is gone.
    nodes.kubectl(
        "patch", "tbp", "leaving", "--type=merge", "-p", "{\"metadata\":{\"finalizers\":[]}}");
    deleteCrds();
  }

  private void deleteCrds() {
    nodes.kubectl(
        "delete",
        "crd",
        "tokenbucketpolicies." + CRD_NAMES,
        "tokenbucketaddresssets." + CRD_NAMES,
        "tokenbucketnodestates." + CRD_NAMES,
        "--timeout=30s");
  }

  private void limit() {
    nodes.apply("leaving", RATE, "");
    nodes.awaitInForce("leaving");
  }

  private static void assertNothingOn(ClusterNode node) {
    assertThat(Files.exists(node.root().resolve("sys/fs/bpf/tokenbucket")))
        .as("pins on " + node.name())
        .isFalse();
    assertThat(Files.exists(node.root().resolve("var/lib/tokenbucket")))
        .as("state on " + node.name())
        .isFalse();
    assertThat(node.run("bpftool", "net", "show")).doesNotContain("eth0").doesNotContain("cni0");
    assertThat(node.run("tc", "qdisc", "show")).doesNotContain("clsact");
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.RateUnit;
import dev.tokenbucket.testing.Commands;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;

/**
 * Installs the chart with its defaults on a bare cluster, applies a sample and checks the effects.
 */
record InstallCase(RealNodes nodes) {
  private static final double TO_LIMITED_TRAFFIC_SECONDS = 60;

  /**
   * The sample's rate per source and second. Other traffic has other sources and does not count.
   */
  private static final int RATE = 1_000;

  private static final double SECONDS = 3;

  void fromInstallToLimitedTraffic() {
    assertThat(nodes.kubectl("get", "crds", "-o", "name"))
        .as("a cluster without the CRDs of Prometheus and Tokenbucket")
        .doesNotContain("monitoring.coreos.com")
        .doesNotContain("tokenbucket.dev");
    long start = System.nanoTime();
    nodes.install();
    double installed = (System.nanoTime() - start) / 1e9;
    for (ClusterNode node : nodes.cluster().nodes()) {
      nodes.awaitAgent(node);
    }
    nodes.kubectl(
        "apply", "-f", Commands.repository().resolve("deploy/samples/per-source.yaml").toString());
    nodes.awaitInForce("per-source");
    double limited = (System.nanoTime() - start) / 1e9;
    for (ClusterNode node : nodes.cluster().nodes()) {
      double arriving = nodes.assertLimited(node, RATE, SECONDS);
      System.out.printf(
          "%s: %.1f packets/s arrive of %d sent, where %d are allowed%n",
          node.name(), arriving, 4 * RATE, RATE);
    }
    System.out.printf(
        "helm install ready after %.1f s, the sample in force after %.1f s%n", installed, limited);
    assertThat(limited).isLessThan(TO_LIMITED_TRAFFIC_SECONDS);
    statusAndMetricsAgree();
    nodes.removePolicies();
  }

  private void statusAndMetricsAgree() {
    assertThat(nodes.kubectl("get", "tbp")).containsPattern("per-source .*2/2 .*in force");
    for (ClusterNode node : nodes.cluster().nodes()) {
      assertThat(nodes.kubectl("get", "tbns", node.name())).containsPattern(node.name() + " +1/1");
      assertThat(nodes.tb(node, "status"))
          .contains("per-source")
          .contains(RateUnit.Packets.rateText(RATE));
    }
    List<String> metrics = operators().stream().map(this::metrics).toList();
    assertThat(metrics).hasSize(2);
    assertThat(metrics)
        .as("one of two operators leads")
        .filteredOn(text -> text.contains("\ntokenbucket_operator_leader 1"))
        .hasSize(1)
        .first()
        .asString()
        .containsPattern(
            "tokenbucket_policy_nodes\\{policy=\"per-source\",state=\"programmed\"\\} 2");
  }

  private List<Pod> operators() {
    return nodes
        .cluster()
        .client()
        .pods()
        .inNamespace(Helm.NAMESPACE)
        .withLabel("app.kubernetes.io/component", "operator")
        .list()
        .getItems();
  }

  private String metrics(Pod operator) {
    return nodes
        .cluster()
        .client()
        .raw(
            "/api/v1/namespaces/%s/pods/%s:8080/proxy/q/metrics"
                .formatted(Helm.NAMESPACE, operator.getMetadata().getName()));
  }
}

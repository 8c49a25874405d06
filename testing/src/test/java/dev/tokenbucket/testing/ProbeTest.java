// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tokenbucket.testing.chart.Chart;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What {@code helm test} runs, with the rights that the chart gives it and no others. */
@ExtendWith({RequiresRoot.class, ControlPlaneExtension.class})
class ProbeTest {
  private static final String NAMESPACE = "tokenbucket-system";

  @TempDir Path work;
  private ControlPlane controlPlane;
  private Cluster cluster;
  private TestNetwork network;
  private Daemon operator;
  private String rights;

  @BeforeEach
  void startOperator(ControlPlane controlPlane) {
    this.controlPlane = controlPlane;
    cluster = new Cluster(controlPlane);
    network = TestNetwork.of(1, work);
    controlPlane.serve(network.hosts(), Daemon.Lifetime.WITH_PARENT);
    controlPlane
        .client()
        .resource(
            new NodeBuilder()
                .withNewMetadata()
                .withName(host().name())
                .addToLabels("kubernetes.io/hostname", host().name())
                .endMetadata()
                .build())
        .create();
    rights =
        String.join(
            "---\n",
            Chart.documents(
                    Chart.withHelm()
                        .render("tokenbucket", NAMESPACE, List.of("-s", "templates/test.yaml")))
                .stream()
                .filter(document -> !document.contains("kind: Pod"))
                .toList());
    cluster.apply(rights);
    operator = cluster.startOperator(work.resolve("operator.log"), Daemon.Lifetime.WITH_PARENT);
  }

  @AfterEach
  void endThem() {
    cluster.kubectl("delete", "tbp", "--all", "--timeout=20s");
    cluster.kubectl("delete", "nodes", "--all", "--timeout=20s");
    Commands.runWithInput(rights, controlPlane.kubectl("delete", "-f", "-"));
    operator.close();
    network.close();
  }

  @Test
  void aNodeWithAnAgentIsLimitedToTheRate() {
    try (Daemon agent =
        host()
            .startClusterAgent(
                cluster.agentKubeconfig(host().name()), Daemon.Lifetime.WITH_PARENT)) {
      String said = Commands.run(probe());

      assertThat(said).contains("on node node-1: 500 packets/s over lo");
      assertThat(said).containsPattern("without a policy +offered +\\S+/s +arrived +[45],\\d{3}/s");
      assertThat(said)
          .containsPattern("under the policy +offered +\\S+/s +arrived +(4[89]|50|51)\\d/s");
      assertThat(said).containsPattern("policy deleted +offered +\\S+/s +arrived +[45],\\d{3}/s");
      assertThat(said).contains("ok: the policy limits");
      assertThat(cluster.kubectl("get", "tbp")).contains("No resources found");
      assertThat(agent.isAlive()).isTrue();
    }
  }

  @Test
  void aNodeWithoutAnAgentFailsAndSaysWhereToLook() {
    assertThatThrownBy(() -> Commands.run(probe("--timeout=2")))
        .isInstanceOf(StepFailedException.class)
        .hasMessageContaining("is not in force on node node-1; its agent has not reported it")
        .hasMessageContaining("kubectl get tbp,tbns");
    Poll.until(
        "no policy is left", () -> cluster.kubectl("get", "tbp").contains("No resources found"));
  }

  private TestHost host() {
    return network.hosts().get(0);
  }

  private List<String> probe(String... options) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "env",
                "KUBECONFIG="
                    + controlPlane.serviceAccountKubeconfig(NAMESPACE, "tokenbucket-test"),
                "NODE_NAME=" + host().name(),
                Commands.repository().resolve("bin/tb").toString(),
                "probe"));
    command.addAll(List.of(options));
    return host().inside(command);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.tokenbucket.testing.Cluster;
import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.ControlPlane;
import dev.tokenbucket.testing.ControlPlaneExtension;
import dev.tokenbucket.testing.ControlPlaneSite;
import dev.tokenbucket.testing.Daemon;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Applies each rendered object to a real API server as a dry run, against its schemas and
 * admission. The server does not know the kinds of the Prometheus operator and of OpenShift, so
 * they are left out.
 */
@ExtendWith(ControlPlaneExtension.class)
class ChartObjectsTest {
  private static final List<String> FOREIGN =
      List.of("monitoring.coreos.com/", "security.openshift.io/");

  private static final String OLDEST_EMULATED = "1.34";

  private final Chart chart = Chart.withHelm();

  static Stream<Arguments> variants() {
    return Stream.of(
        arguments("default", List.of(), 0),
        arguments("everything", Chart.EVERYTHING, 5),
        arguments("pod monitor", Chart.sets("monitoring.podMonitor.enabled=true"), 1),
        arguments(
            "agents' metrics",
            Chart.sets("monitoring.podMonitor.enabled=true", "agent.metricsPort=9465"),
            2),
        arguments("no clean-up", Chart.sets("uninstall.cleanup=false"), 0),
        arguments("CRDs go", Chart.sets("crds.keep=false"), 0));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("variants")
  void theApiServerTakesEachObject(
      String name, List<String> options, int foreign, ControlPlane controlPlane) {
    List<String> documents =
        Chart.documents(chart.render("tokenbucket", "tokenbucket-system", options));
    List<String> known = documents.stream().filter(ChartObjectsTest::isKnown).toList();
    assertThat(documents.size() - known.size()).as("foreign kinds").isEqualTo(foreign);

    List<String> made = makeServiceAccounts(known, controlPlane);
    try {
      assertThat(dryRun(String.join("---\n", known), controlPlane).lines())
          .as(name)
          .hasSize(known.size())
          .allMatch(line -> line.endsWith(" serverside-applied (server dry run)"));
    } finally {
      made.forEach(
          account ->
              Commands.run(controlPlane.kubectl("delete", "-n", "tokenbucket-system", account)));
    }
  }

  @Test
  void anUnknownFieldIsRefused(ControlPlane controlPlane) {
    String wrong =
        chart
            .render("tokenbucket", "tokenbucket-system", List.of("-s", "templates/operator.yaml"))
            .replace("replicas:", "replicaz:");
    assertThatThrownBy(() -> dryRun(wrong, controlPlane)).hasMessageContaining("replicaz");
  }

  @Test
  void theReadmesCommandAppliesOnItsFirstRun(@TempDir Path folder) {
    Path root = Commands.repository();
    try (ControlPlane bare = ControlPlane.start(folder, Daemon.Lifetime.WITH_PARENT)) {
      String applied =
          Commands.run(
              bare.kubectl("apply", "-f", root + "/crds/", "-f", root + "/deploy/manifests/"));
      assertThat(applied)
          .contains("namespace/tokenbucket-system created")
          .contains("daemonset.apps/tokenbucket-agent created")
          .contains("deployment.apps/tokenbucket-operator created");
      assertThat(
              Commands.run(
                  bare.kubectl(
                      "apply",
                      "--server-side",
                      "--force-conflicts",
                      "-f",
                      root + "/deploy/manifests/tokenbucket.yaml")))
          .contains("daemonset.apps/tokenbucket-agent serverside-applied");
    }
  }

  /**
   * Uses the oldest version that this API server can emulate. It refuses CEL functions that are
   * newer.
   */
  @Test
  void anOlderApiServerTakesThePlainManifests(@TempDir Path folder) throws IOException {
    ControlPlaneSite site =
        ControlPlaneSite.onLoopback().withApiServerOptions("--emulated-version=" + OLDEST_EMULATED);
    try (ControlPlane older =
        ControlPlane.start(folder, Daemon.Lifetime.WITH_PARENT, ControlPlane.binaries(), site)) {
      assertThat(Commands.run(older.kubectl("get", "--raw", "/version")))
          .contains("\"emulationMinor\": \"34\"");
      assertThat(
              Commands.run(
                  older.kubectl(
                      "apply", "-f", Commands.repository() + "/deploy/manifests/tokenbucket.yaml")))
          .contains("tokenbucketpolicies.tokenbucket.dev created")
          .contains("tokenbucket-owned-writes created")
          .contains("tokenbucket-node-selectors created");
      new Cluster(older).awaitAdmission("tokenbucket", "tokenbucket-system", "tokenbucket-agent");
    }
  }

  @Test
  void kustomizeTakesThePlainManifestsAndPatchesThem(ControlPlane controlPlane, @TempDir Path work)
      throws IOException {
    Path base = Commands.repository().resolve("deploy/manifests");
    Path overlay = Files.createDirectory(work.resolve("overlay"));
    Files.createDirectory(work.resolve("base"));
    for (String file : List.of("Kustomization", "tokenbucket.yaml")) {
      Files.copy(base.resolve(file), work.resolve("base").resolve(file));
    }
    Files.writeString(
        overlay.resolve("kustomization.yaml"),
        """
        resources: [../base]
        images:
        - {name: localhost/tokenbucket/agent, newName: registry.example/agent, newTag: "1"}
        patches:
        - target: {kind: Deployment, name: tokenbucket-operator}
          patch: |
            - {op: replace, path: /spec/replicas, value: 3}
        """);

    String built = Commands.run(controlPlane.kubectl("kustomize", overlay.toString()));

    assertThat(built).contains("image: registry.example/agent:1").contains("replicas: 3");
    assertThat(Chart.documents(built))
        .hasSameSizeAs(Chart.documents(Files.readString(base.resolve("tokenbucket.yaml"))));
    assertThat(dryRun(built, controlPlane)).contains("daemonset.apps/tokenbucket-agent");
  }

  private static boolean isKnown(String document) {
    String version = Chart.object(document).getApiVersion();
    return FOREIGN.stream().noneMatch(version::startsWith);
  }

  /**
   * Creates the service accounts, because a pod is refused without its account and a dry run
   * creates none.
   */
  private static List<String> makeServiceAccounts(
      List<String> documents, ControlPlane controlPlane) {
    List<String> made = new ArrayList<>();
    for (String document : documents) {
      GenericKubernetesResource object = Chart.object(document);
      if (object.getKind().equals("ServiceAccount")
          && Commands.runWithInput(document, controlPlane.kubectl("apply", "-f", "-"))
              .contains("created")) {
        made.add(Chart.id(object));
      }
    }
    return made;
  }

  private static String dryRun(String manifests, ControlPlane controlPlane) {
    return Commands.runWithInput(
        manifests,
        controlPlane.kubectl(
            "apply",
            "--server-side",
            "--force-conflicts",
            // not the manager that installed, whose annotation kubectl would migrate
            "--field-manager=chart-test",
            "--dry-run=server",
            "--validate=strict",
            "-f",
            "-"));
  }
}

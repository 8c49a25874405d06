// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.chart;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.ControlPlane;
import dev.tokenbucket.testing.ControlPlaneExtension;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The rights that the uninstall hooks need, and the rights that they must not have. */
@ExtendWith(ControlPlaneExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HookRightsTest {
  private static final String NAMESPACE = "tokenbucket-system";
  private static final Set<String> RIGHTS =
      Set.of("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding");

  private ControlPlane controlPlane;
  private String rights;

  @BeforeAll
  void applyRights(ControlPlane controlPlane) {
    this.controlPlane = controlPlane;
    rights =
        String.join(
            "---\n",
            Chart.documents(
                    Chart.withHelm()
                        .render(
                            "tokenbucket", NAMESPACE, List.of("-s", "templates/uninstall.yaml")))
                .stream()
                .filter(document -> RIGHTS.contains(Chart.object(document).getKind()))
                .toList());
    Commands.runWithInput(rights, controlPlane.kubectl("apply", "-f", "-"));
  }

  @AfterAll
  void deleteRights() {
    Commands.runWithInput(rights, controlPlane.kubectl("delete", "-f", "-"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "list tbp",
        "get tbp",
        "delete tbp",
        "deletecollection tbp",
        "patch tbp",
        "list tbns",
        "get tbns",
        "list nodes",
        "get ds/tokenbucket-uninstall-node",
        "list pods",
      })
  void itMay(String what) {
    assertThat(canI(what)).contains("yes");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "create tbp",
        "patch tbns",
        "delete tbns",
        "get secrets",
        "get ds/tokenbucket-agent",
        "delete pods",
        "delete nodes",
      })
  void itMayNot(String what) {
    assertThat(canI(what)).endsWith("no\n");
  }

  /** The answer of kubectl, which fails if the answer is no. */
  private String canI(String what) {
    int space = what.indexOf(' ');
    return Commands.run(
        List.of(
            "sh",
            "-c",
            "\"$@\" || true",
            "can-i",
            controlPlane.kubectl().get(0),
            "--kubeconfig=" + controlPlane.kubeconfig(),
            "auth",
            "can-i",
            what.substring(0, space),
            what.substring(space + 1),
            "-n",
            NAMESPACE,
            "--as=system:serviceaccount:" + NAMESPACE + ":tokenbucket-uninstall"));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.ControlPlane;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What an attacker can do with the token from an agent's pod. */
record RightsCase(RealNodes nodes) {
  private static final String STATUS = "{\"status\": {\"summary\": \"0/0\"}}";

  void theAgentsAccountIsHeldToItsOwnNode(ClusterNode own, ClusterNode other) {
    nodes.apply("guarded", 1_000, "");
    nodes.awaitInForce("guarded");
    String token = nodes.awaitAgent(own).file(Agent.TOKEN);
    ControlPlane controlPlane = nodes.cluster().controlPlane();
    Path kubeconfig = controlPlane.tokenKubeconfig("stolen", controlPlane.server(), token);

    assertThat(as(kubeconfig, "auth", "whoami")).contains("tokenbucket-agent");
    assertThat(patchStatus(kubeconfig, own)).contains("patched");
    assertThatThrownBy(() -> patchStatus(kubeconfig, other)).hasMessageContaining("denied");
    String limits = "{\"spec\": {\"policies\": []}}";
    refused(kubeconfig, "patch", "tbns", own.name(), "--type=merge", "-p", limits);
    refused(kubeconfig, "delete", "tbns", other.name());
    refused(kubeconfig, "get", "tbp");
    refused(kubeconfig, "delete", "tbp", "guarded");
    refused(
        kubeconfig,
        "patch",
        "tbp",
        "guarded",
        "--type=merge",
        "-p",
        "{\"spec\": {\"mode\": \"Audit\"}}");
    refused(kubeconfig, "get", "secrets", "-A");
    refused(kubeconfig, "get", "secrets", "-n", Helm.NAMESPACE);
    refused(kubeconfig, "get", "nodes");
    refused(kubeconfig, "create", "token", "tokenbucket-operator", "-n", Helm.NAMESPACE);
    assertThat(nodes.summary("guarded")).isEqualTo("in force");
    nodes.removePolicies();
  }

  private String patchStatus(Path kubeconfig, ClusterNode node) {
    return as(
        kubeconfig,
        "patch",
        "tbns",
        node.name(),
        "--subresource=status",
        "--type=merge",
        "-p",
        STATUS);
  }

  private void refused(Path kubeconfig, String... arguments) {
    assertThatThrownBy(() -> as(kubeconfig, arguments)).hasMessageContaining("orbidden");
  }

  private String as(Path kubeconfig, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(nodes.cluster().controlPlane().kubectl().get(0));
    command.add("--kubeconfig=" + kubeconfig);
    command.addAll(List.of(arguments));
    return Commands.run(command);
  }
}

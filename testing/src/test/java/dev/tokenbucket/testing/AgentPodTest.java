// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.testing.chart.Alerts;
import dev.tokenbucket.testing.chart.Dashboards;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * The agent with what a pod gives it: a service account's folder, which a kubelet's mount would
 * make, and the downward API's environment. The API server is real, and so are the tokens.
 */
@ExtendWith({RequiresRoot.class, ControlPlaneExtension.class})
class AgentPodTest {
  private static final Duration SOON = Duration.ofSeconds(30);

  /** The /run of the agent, which no other process sees. */
  private static final String AS_IN_A_POD =
      "account=$1; shift; mount -t tmpfs tmpfs /run && mkdir -p"
          + " /run/secrets/kubernetes.io/serviceaccount && mount --bind \"$account\""
          + " /run/secrets/kubernetes.io/serviceaccount && exec \"$@\"";

  @TempDir Path work;
  private ControlPlane controlPlane;
  private Cluster cluster;
  private TestNetwork network;
  private TestHost host;
  private Path account;

  @BeforeEach
  void makeANode(ControlPlane controlPlane) throws IOException {
    this.controlPlane = controlPlane;
    cluster = new Cluster(controlPlane);
    network = TestNetwork.of(1, work);
    host = network.hosts().get(0);
    controlPlane.serve(network.hosts(), Daemon.Lifetime.WITH_PARENT);
    account = Files.createDirectory(work.resolve("account"));
    Files.copy(controlPlane.kubeconfig().resolveSibling("ca.crt"), account.resolve("ca.crt"));
    createNode();
    rotate(cluster.agentToken(host.name()));
    state("eth0");
  }

  @AfterEach
  void removeIt() {
    cluster.kubectl("delete", "tbns,nodes", "--all", "--timeout=20s");
    network.close();
  }

  private void createNode() {
    controlPlane
        .client()
        .resource(new NodeBuilder().withNewMetadata().withName(host.name()).endMetadata().build())
        .create();
  }

  /** Replaces the file, as a kubelet does, and never writes into it. */
  private void rotate(String token) throws IOException {
    Path next = Files.writeString(work.resolve("token.next"), token);
    Files.move(next, account.resolve("token"), StandardCopyOption.REPLACE_EXISTING);
  }

  private void state(String onInterface) {
    cluster.apply(
        """
        apiVersion: tokenbucket.dev/v1alpha1
        kind: TokenBucketNodeState
        metadata: {name: %s}
        spec:
          policies:
          - {name: p, uid: u, generation: 1, interfaces: [{name: %s}], direction: Ingress,
             priority: 0, failsafe: Enabled, per: Node, capacity: 1, onFull: ShareBucket,
             ipv4PrefixLength: 32, ipv6PrefixLength: 128, unit: Packets, rate: 100000,
             burst: 100000, action: Drop, mode: Enforce}
        """
            .formatted(host.name(), onInterface));
  }

  private Daemon start(Map<String, String> environment, String... options) {
    Path target = Commands.repository().resolve("node-agent/target");
    List<String> command =
        new ArrayList<>(
            List.of(
                "unshare",
                "--mount",
                "sh",
                "-c",
                AS_IN_A_POD,
                "sh",
                account.toString(),
                ProcessHandle.current().info().command().orElse("java"),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                agentJar(target) + ":" + target.resolve("lib") + "/*",
                "dev.tokenbucket.agent.TokenBucketCommand",
                "agent",
                "--bpffs",
                host.bpffs().toString(),
                "--state-dir",
                work.resolve("node-1/state").toString()));
    command.addAll(List.of(options));
    Map<String, String> all =
        new HashMap<>(
            Map.of(
                "KUBERNETES_SERVICE_HOST",
                "127.0.0.1",
                "KUBERNETES_SERVICE_PORT",
                Integer.toString(controlPlane.server().getPort())));
    all.putAll(environment);
    return Daemon.start(
        "the agent", host.inside(command), all, host.agentLog(), Daemon.Lifetime.WITH_PARENT);
  }

  private static Path agentJar(Path target) {
    try (var files = Files.newDirectoryStream(target, "tokenbucket-node-agent-*.jar")) {
      return files.iterator().next();
    } catch (IOException e) {
      throw new StepFailedException("the agent is not built", e);
    }
  }

  private TokenBucketNodeState state() {
    return controlPlane.client().resources(TokenBucketNodeState.class).withName(host.name()).get();
  }

  private @Nullable NodePolicyStatus answer() {
    TokenBucketNodeState now = state();
    return now.getStatus() == null || now.getStatus().policies() == null
        ? null
        : now.getStatus().policies().stream().findFirst().orElse(null);
  }

  private void awaitProgrammed(Daemon agent) {
    agent.await(
        "the policy in force",
        SOON,
        () ->
            answer() != null
                && answer().programmed()
                && Objects.equals(
                    state().getStatus().observedGeneration(),
                    state().getMetadata().getGeneration()));
  }

  @Test
  void aTokenThatEndsIsSaidOnceAndItsSuccessorIsUsed() throws IOException {
    try (Daemon agent = start(Map.of("NODE_NAME", host.name(), "HOST_IP", host.address()))) {
      awaitProgrammed(agent);

      // The API server refuses a token that is bound to a deleted Node. The watch that it opened
      // continues.
      cluster.kubectl("delete", "node", host.name(), "--timeout=20s");
      createNode();
      controlPlane.restartApiServer();
      agent.awaitLog("401: ", SOON);
      Daemon.pause(Duration.ofSeconds(6));
      assertThat(agent.log().lines().filter(line -> line.contains("401: "))).hasSize(1);
      assertThat(agent.log()).doesNotContain("\tat ").doesNotContain("Exception:");

      rotate(cluster.agentToken(host.name()));
      agent.awaitLog("answers again", SOON);
      state("lo");
      awaitProgrammed(agent);
      assertThat(Objects.requireNonNull(answer()).interfaces())
          .extracting("name")
          .containsExactly("lo");
    }
  }

  @Test
  void whatRbacRefusesIsSaidOnceWithTheRoleThatIsMissing() {
    try (Daemon agent =
        start(
            Map.of("NODE_NAME", host.name()),
            "--kubeconfig",
            cluster.operatorKubeconfig().toString())) {
      agent.awaitLog(": bind the ClusterRole tokenbucket-agent", SOON);
      Daemon.pause(Duration.ofSeconds(5));
      assertThat(agent.log().lines().filter(line -> line.contains("403 for "))).hasSize(1);
      assertThat(agent.log()).doesNotContain("\tat ");
    }
  }

  @Test
  void withoutTheNodesNameItDoesNotStart() {
    try (Daemon agent = start(Map.of())) {
      assertThatThrownBy(() -> agent.awaitLog("agent ready", SOON))
          .isInstanceOf(StepFailedException.class)
          .hasMessageContaining("set NODE_NAME in the pod by the downward API");
    }
  }

  @Test
  void withoutTheHostsNetworkNothingIsProgrammedAndEveryPolicySaysSo() throws Exception {
    int port = freePort();
    try (Daemon agent =
        start(
            Map.of("NODE_NAME", host.name(), "HOST_IP", "192.0.2.1"),
            "--health-port",
            Integer.toString(port))) {
      agent.await("the status", SOON, () -> answer() != null);
      assertThat(Objects.requireNonNull(answer()).reason()).isEqualTo(Reasons.PROGRAMMING_FAILED);
      assertThat(Objects.requireNonNull(answer()).message())
          .startsWith("hostNetwork: true is missing");
      assertThat(state().getStatus().preflight())
          .anyMatch(finding -> finding.startsWith("hostNetwork: true is missing"));
      assertThat(agent.log()).contains("hostNetwork: true is missing");
      assertThat(host.status().path("hooks")).isEmpty();
      assertThat(probe(port, "/healthz")).isEqualTo("200");
      assertThat(probe(port, "/readyz")).isEqualTo("503");
    }
  }

  @Test
  void itIsReadyOnceItsPoliciesAreAppliedAndTellsItsMetrics() throws Exception {
    int port = freePort();
    int metrics = freePort();
    try (Daemon agent =
        start(
            Map.of("NODE_NAME", host.name()),
            "--health-port",
            Integer.toString(port),
            "--metrics-port",
            Integer.toString(metrics))) {
      awaitProgrammed(agent);
      agent.await("readiness", SOON, () -> probe(port, "/readyz").equals("200"));
      assertThat(probe(port, "/healthz")).isEqualTo("200");
      assertThat(probe(port, "/metrics")).isEqualTo("200");
      agent.await(
          "a report that the API server accepted",
          SOON,
          () -> scrape(metrics).contains("\ntokenbucket_last_contact_timestamp_seconds "));
      String scraped = scrape(metrics);
      assertThat(scraped.lines())
          .contains(
              "tokenbucket_policy_generation{direction=\"Ingress\",hook=\"TCX\",interface=\"eth0\",policy=\"p\"}"
                  + " 1.0",
              "tokenbucket_policy_asked_generation{policy=\"p\"} 1.0",
              "tokenbucket_policies_failed 0.0");
      Set<String> shown = new HashSet<>(Alerts.metricsOf("tokenbucket-agents"));
      shown.addAll(Dashboards.metricsOf(Dashboards.LIMITS));
      // The policy here has no table.
      assertThat(shown)
          .filteredOn(name -> !name.startsWith("tokenbucket_buckets_"))
          .isNotEmpty()
          .allSatisfy(name -> assertThat(scraped).containsPattern("(?m)^" + name + "[{ ]"));
    }
  }

  private String scrape(int port) {
    return Commands.run(
        network.atSource(
            List.of("curl", "-s", "http://" + host.address() + ":" + port + "/metrics")));
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** The pins disappear with their file system, as in a reboot. The state folder stays. */
  @Test
  void afterARebootWithoutTheApiServerTheLastSetIsEnforced() {
    Map<String, String> node = Map.of("NODE_NAME", host.name());
    try (Daemon agent = start(node)) {
      awaitProgrammed(agent);
    }
    Commands.run("umount", host.bpffs().toString());
    host.mountBpffs();
    assertThat(host.status().path("hooks")).isEmpty();

    Map<String, String> unreachable = new HashMap<>(node);
    unreachable.put("KUBERNETES_SERVICE_PORT", "1");
    try (Daemon agent = start(unreachable)) {
      agent.awaitLog(
          "the agent enforces generation 1 of the node state, as last seen, until the API server"
              + " answers",
          SOON);
      agent.awaitLog("programmed p generation 1", SOON);
      assertThat(host.policy("p").path("rate").asLong()).isEqualTo(100_000);
    }

    // The current node state takes precedence over the kept one.
    state("lo");
    try (Daemon agent = start(node)) {
      awaitProgrammed(agent);
      assertThat(host.status().path("hooks").findValuesAsText("interface")).containsExactly("lo");
    }
  }

  private String probe(int port, String path) {
    return Commands.run(
        host.inside(
            List.of(
                "curl",
                "-s",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code}",
                "http://127.0.0.1:" + port + path)));
  }
}

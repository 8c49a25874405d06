// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.FailedNode;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** From kubectl apply to packets, with the real operator and two real agents. Needs root. */
@ExtendWith({RequiresRoot.class, ControlPlaneExtension.class})
class EndToEndTest {
  private static final int RATE = 1_000;
  private static final Duration SOON = Duration.ofSeconds(20);

  private static final int BURST = 100;
  private static final int SECONDS = 2;

  @TempDir Path work;
  private ControlPlane controlPlane;
  private Cluster cluster;
  private KernelObjects before;
  private TestNetwork network;
  private Daemon operator;
  private List<Daemon> agents = List.of();

  @BeforeEach
  void startOperatorAndAgents(ControlPlane controlPlane) {
    this.controlPlane = controlPlane;
    cluster = new Cluster(controlPlane);
    network = TestNetwork.of(2, work);
    before = KernelObjects.now();
    controlPlane.serve(network.hosts(), Daemon.Lifetime.WITH_PARENT);
    for (TestHost host : network.hosts()) {
      createNode(host.name());
    }
    operator = cluster.startOperator(work.resolve("operator.log"), Daemon.Lifetime.WITH_PARENT);
    agents =
        network.hosts().stream()
            .map(
                host ->
                    host.startClusterAgent(
                        cluster.agentKubeconfig(host.name()), Daemon.Lifetime.WITH_PARENT))
            .toList();
  }

  private void createNode(String name) {
    controlPlane
        .client()
        .resource(
            new NodeBuilder()
                .withNewMetadata()
                .withName(name)
                .withLabels(Map.of("limited", "yes"))
                .endMetadata()
                .build())
        .create();
  }

  @AfterEach
  void endThem() {
    cluster.kubectl("delete", "tbp", "--all", "--timeout=20s");
    cluster.kubectl("delete", "nodes", "--all", "--timeout=20s");
    agents.forEach(Daemon::close);
    operator.close();
    network.close();
  }

  @Test
  void anAppliedPolicyLimitsPacketsAndARelabelledNodeIsFreeOfIt() throws IOException {
    cluster.kubectl("apply", "-f", policy(RATE));
    cluster.kubectl("wait", "--for=condition=Programmed", "--timeout=20s", "tbp/p");
    assertThat(cluster.kubectl("get", "tbp"))
        .containsPattern("p +1k packets/s +Node +Ingress +Enforce +2/2 +True");
    assertThat(cluster.kubectl("get", "tbns")).containsPattern("node-1 +1/1");
    assertThat(arrivingAt(0)).isBetween(RATE * 0.99, Arrivals.atMost(RATE, BURST, SECONDS));

    cluster.kubectl("label", "node", "node-1", "limited=no", "--overwrite");
    await("node-1 to be left", () -> network.hosts().get(0).status().path("hooks").isEmpty());
    await("the status to follow", () -> cluster.kubectl("get", "tbp").contains("1/1"));
    assertThat(arrivingAt(0)).isGreaterThan(RATE * 4.0);
    assertThat(arrivingAt(1)).isBetween(RATE * 0.99, Arrivals.atMost(RATE, BURST, SECONDS));
  }

  /** Another writer changes the set; the policy keeps its generation. */
  @Test
  void anAddressSetOf10000DecidesWhoIsLimitedAndSoDoesItsChange() throws IOException {
    TestHost host = network.hosts().get(0);
    List<String> cidrs = new ArrayList<>();
    for (int i = 0; i < 9_999; i++) {
      cidrs.add("172.16.%d.%d/32".formatted(i >> 8, i & 255));
    }
    cidrs.add(host.source(2) + "/32");
    cluster.kubectl("apply", "--server-side", "-f", addressSet(cidrs));
    Files.writeString(
        Path.of(policy(RATE)),
        Files.readString(Path.of(policy(RATE))) + "  match: [{sourceAddressSets: [sources]}]\n");
    cluster.kubectl("apply", "-f", work.resolve("p.yaml").toString());
    cluster.kubectl("wait", "--for=condition=Programmed", "--timeout=20s", "tbp/p");
    assertThat(arrivingAt(0)).isBetween(RATE * 0.99, Arrivals.atMost(RATE, BURST, SECONDS));

    cluster.kubectl("apply", "--server-side", "-f", addressSet(List.of()));
    await("the change to reach the packets", () -> arrivingAt(0) > RATE * 4.0);
    cluster.kubectl("apply", "--server-side", "-f", addressSet(List.of("0.0.0.0/0")));
    await("all sources to be limited", () -> arrivingAt(0) < RATE * 2.0);
    assertThat(cluster.kubectl("get", "tbp", "p", "-o", "jsonpath={.metadata.generation}"))
        .isEqualTo("1");

    cluster.kubectl("delete", "tbas", "sources");
    await("the set to be missed", () -> cluster.kubectl("get", "tbp").contains("does not exist"));
    assertThat(arrivingAt(0)).isBetween(RATE * 0.99, Arrivals.atMost(RATE, BURST, SECONDS));
  }

  private String addressSet(List<String> cidrs) throws IOException {
    Path file = work.resolve("set.yaml");
    Files.writeString(
        file,
        "{apiVersion: tokenbucket.dev/v1alpha1, kind: TokenBucketAddressSet, metadata: {name:"
            + " sources}, spec: {cidrs: "
            + Serialization.asJson(cidrs)
            + "}}");
    return file.toString();
  }

  @Test
  void aNodeThatComesLaterIsProgrammedToo() throws IOException {
    cluster.kubectl("label", "node", "node-2", "limited=no", "--overwrite");
    cluster.kubectl("apply", "-f", policy(RATE));
    await("one node", () -> cluster.kubectl("get", "tbp").contains("1/1"));
    cluster.kubectl("label", "node", "node-2", "limited=yes", "--overwrite");
    await("two nodes", () -> cluster.kubectl("get", "tbp").contains("2/2"));
  }

  @Test
  void aDeletedPolicyIsGoneFromTheApiOnlyWhenNoNodeEnforcesIt() throws IOException {
    cluster.kubectl("apply", "-f", policy(RATE));
    cluster.kubectl("wait", "--for=condition=Programmed", "--timeout=20s", "tbp/p");
    cluster.kubectl("delete", "--timeout=20s", "tbp/p");

    for (TestHost host : network.hosts()) {
      assertThat(host.status().path("hooks")).isEmpty();
    }
    await(
        "the node states to go",
        () ->
            controlPlane
                .client()
                .resources(TokenBucketNodeState.class)
                .list()
                .getItems()
                .isEmpty());
    for (TestHost host : network.hosts()) {
      assertThat(host.bpffs().resolve("tokenbucket")).doesNotExist();
    }
    agents.forEach(Daemon::close);
    assertThat(KernelObjects.awaitNothingBeyond(before)).isEmpty();
  }

  /** The node that is back has no node state, so no change of it removes the policy. */
  @Test
  void aPolicyDeletedWhileItsNodeWasGoneIsNotEnforcedByTheNodeThatIsBack() throws IOException {
    cluster.kubectl("apply", "-f", policy(RATE));
    cluster.kubectl("wait", "--for=condition=Ready", "--timeout=20s", "tbp/p");
    cluster.kubectl("delete", "node", "node-1");
    await("its node state to go", () -> !cluster.kubectl("get", "tbns").contains("node-1"));
    cluster.kubectl("delete", "--timeout=20s", "tbp/p");
    createNode("node-1");
    operator.await(
        "node-1 to be left",
        Duration.ofSeconds(60),
        () -> network.hosts().get(0).status().path("hooks").isEmpty());
  }

  @Test
  void aNodeThatCannotProgramItIsNamedInTheStatusWithTheReason() throws IOException {
    Path file = work.resolve("nowhere.yaml");
    Files.writeString(
        file, Files.readString(Path.of(policy(RATE))) + "  interfaces: [{name: eth7}]\n");
    cluster.kubectl("apply", "-f", file.toString());
    cluster.kubectl("wait", "--for=condition=Degraded", "--timeout=20s", "tbp/p");
    // One node at a time; the second failure halts it.
    await("the rollout to halt", () -> cluster.kubectl("get", "tbp").contains("halted"));

    TokenBucketPolicy there =
        controlPlane.client().resources(TokenBucketPolicy.class).withName("p").get();
    assertThat(there.getStatus().failedNodes())
        .extracting(FailedNode::name)
        .containsExactly("node-1", "node-2");
    assertThat(there.getStatus().failedNodes())
        .allSatisfy(
            node -> assertThat(node.message()).isEqualTo("this host has no interface named eth7"));
  }

  @Test
  void aSteadyClusterIsNotWrittenTo() throws IOException {
    cluster.kubectl("apply", "-f", policy(RATE));
    cluster.kubectl("wait", "--for=condition=Programmed", "--timeout=20s", "tbp/p");
    Daemon.pause(Duration.ofSeconds(3));
    String first = versions();
    Daemon.pause(Duration.ofSeconds(6));
    assertThat(versions()).isEqualTo(first);
  }

  private String versions() {
    return cluster.kubectl(
        "get", "tbp,tbns", "-o", "jsonpath={range .items[*]}{.metadata.resourceVersion} {end}");
  }

  private String policy(int rate) throws IOException {
    Path file = work.resolve("p.yaml");
    Files.writeString(
        file,
        """
        apiVersion: tokenbucket.dev/v1alpha1
        kind: TokenBucketPolicy
        metadata: {name: p}
        spec:
          nodeSelector: {matchExpressions: [{key: limited, operator: In, values: ["yes"]}]}
          rate: {packetsPerSecond: %d}
          burst: {packets: %d}
        """
            .formatted(rate, BURST));
    return file.toString();
  }

  private double arrivingAt(int index) {
    TestHost host = network.hosts().get(index);
    try (TrafficRun run =
        TrafficRun.start(
            network::atSource,
            host::inside,
            host.address(),
            List.of(new TrafficRun.Sender(host.source(2), 8 * RATE)),
            SECONDS,
            false)) {
      return run.result().received().perSecond();
    }
  }

  private void await(String what, BooleanSupplier reached) {
    operator.await(what, SOON, reached);
  }
}

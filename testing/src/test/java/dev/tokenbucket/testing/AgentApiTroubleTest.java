// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.PolicyAttachment;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateStatus;
import dev.tokenbucket.testing.FaultProxy.Fate;
import dev.tokenbucket.testing.FaultProxy.Forward;
import dev.tokenbucket.testing.FaultProxy.Lose;
import dev.tokenbucket.testing.FaultProxy.Refuse;
import dev.tokenbucket.testing.FaultProxy.Swallow;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import java.io.IOException;
import java.net.DatagramSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * An agent with a bad connection to the real API server, in each way in which it can be bad. The
 * work on the node continues, and the report follows.
 */
@ExtendWith({RequiresRoot.class, ControlPlaneExtension.class})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AgentApiTroubleTest {
  private static final Duration SOON = Duration.ofSeconds(60);

  /** What happens to each request; the name is also that of an interface. */
  private record Trouble(String name, Fate fate) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Trouble> troubles() {
    return Stream.of(
        new Trouble("black-hole", new Swallow()),
        new Trouble("reset", new Lose()),
        new Trouble("throttled", new Refuse(429, "TooManyRequests", "Retry-After: 1\r\n")),
        new Trouble("no-token", new Refuse(401, "Unauthorized", "")),
        new Trouble("broken", new Refuse(500, "InternalError", "")));
  }

  private ControlPlane controlPlane;
  private Cluster cluster;
  private TestNetwork network;
  private TestHost host;
  private FaultProxy proxy;
  private Daemon agent;

  @BeforeAll
  void startAnAgentBehindTheProxy(ControlPlane controlPlane, @TempDir Path work)
      throws IOException {
    this.controlPlane = controlPlane;
    cluster = new Cluster(controlPlane);
    network = TestNetwork.of(1, work);
    host = network.hosts().get(0);
    proxy = new FaultProxy(controlPlane);
    controlPlane.serve(network.hosts(), proxy.address().getPort(), Daemon.Lifetime.WITH_PARENT);
    controlPlane
        .client()
        .resource(new NodeBuilder().withNewMetadata().withName(host.name()).endMetadata().build())
        .create();
    cluster.apply(
        """
        apiVersion: tokenbucket.dev/v1alpha1
        kind: TokenBucketNodeState
        metadata: {name: %s}
        spec:
          policies:
          - {name: p, uid: u, generation: 1, interfaces: [{name: eth0}, {pattern: 'pod-*'}],
             direction: Ingress, priority: 0, failsafe: Enabled, per: SourceIP, capacity: 1024,
             onFull: ShareBucket, ipv4PrefixLength: 32, ipv6PrefixLength: 128, unit: Packets,
             rate: 1000, burst: 10, action: Drop, mode: Enforce}
        """
            .formatted(host.name()));
    agent = host.startClusterAgent(byProxy(work), Daemon.Lifetime.WITH_PARENT);
    Poll.until("the first interface", SOON, () -> reportedInterfaces().contains("eth0"));
  }

  private Path byProxy(Path work) throws IOException {
    String direct = Files.readString(cluster.agentKubeconfig(host.name()));
    return Files.writeString(
        work.resolve("by-proxy"),
        direct.replace(controlPlane.server().toString(), proxy.address().toString()));
  }

  @AfterAll
  void end() {
    if (agent != null) {
      agent.close();
    }
    cluster.kubectl("delete", "tbns,nodes", "--all", "--timeout=20s");
    network.close();
    proxy.close();
  }

  @ParameterizedTest
  @MethodSource("troubles")
  void hotplugSweepAndRepairGoOnAndTheReportFollows(Trouble trouble) throws Exception {
    String added = "pod-" + trouble.name();
    proxy.decide(request -> trouble.fate());
    proxy.dropWatches();
    try (DatagramSocket to = bound(host.namespace(), host.address());
        DatagramSocket from = bound(network.namespaces().get(0), host.source(2))) {
      HostTest.send(5, from, to);
    }

    Commands.run(
        host.inside(
            List.of(
                "ip",
                "link",
                "add",
                added,
                "type",
                "veth",
                "peer",
                "name",
                "f-" + trouble.name())));
    Poll.until("the new interface", SOON, () -> limited().contains(added));
    long before = program();
    Commands.run(List.of("bpftool", "link", "detach", "pinned", link().toString()));
    Poll.until("another program", SOON, () -> program() != 0 && program() != before);
    Poll.until("an idle bucket is removed", SOON, () -> buckets().path("used").asInt(1) == 0);
    assertThat(buckets().path("swept").asInt()).isPositive();
    assertThat(reportedInterfaces()).doesNotContain(added);

    proxy.decide(request -> new Forward());
    Poll.until("the report", SOON, () -> reportedInterfaces().contains(added) && reportsRepair());
  }

  private static DatagramSocket bound(String namespace, String address) throws Exception {
    return HostTest.bound(namespace, address, 0);
  }

  private Set<String> limited() {
    return Set.copyOf(host.status().path("hooks").findValuesAsText("interface"));
  }

  private JsonNode eth0() {
    for (JsonNode hook : host.status().path("hooks")) {
      if (hook.path("interface").asText().equals("eth0")) {
        return hook;
      }
    }
    return host.policy("of no hook");
  }

  private long program() {
    return eth0().path("programId").asLong();
  }

  private JsonNode buckets() {
    return host.policy("p").path("buckets");
  }

  /** The pinned link of eth0. */
  private Path link() throws IOException {
    String shown = Commands.run(host.inside(List.of("ip", "-o", "link", "show", "eth0")));
    String hook = "ingress-" + shown.substring(0, shown.indexOf(':'));
    try (Stream<Path> pins = Files.walk(host.bpffs())) {
      return pins.filter(pin -> pin.endsWith(Path.of(hook, "link"))).findFirst().orElseThrow();
    }
  }

  private Optional<TokenBucketNodeStateStatus> status() {
    return Optional.ofNullable(
        controlPlane
            .client()
            .resources(TokenBucketNodeState.class)
            .withName(host.name())
            .get()
            .getStatus());
  }

  private boolean reportsRepair() {
    return status().map(TokenBucketNodeStateStatus::conditions).stream()
        .flatMap(List::stream)
        .anyMatch(each -> each.getType().equals("Repaired") && each.getStatus().equals("True"));
  }

  /** The interfaces that the node state's status names. */
  private Set<String> reportedInterfaces() {
    return status().map(TokenBucketNodeStateStatus::policies).stream()
        .flatMap(List::stream)
        .map(NodePolicyStatus::interfaces)
        .flatMap(List::stream)
        .map(PolicyAttachment::name)
        .collect(Collectors.toSet());
  }
}

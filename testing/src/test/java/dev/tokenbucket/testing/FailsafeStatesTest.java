// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import io.fabric8.kubernetes.api.model.NodeAddress;
import io.fabric8.kubernetes.api.model.NodeStatus;
import io.fabric8.kubernetes.api.model.NodeStatusBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * The addresses and ports that the operator discovers from nodes and API servers and writes into
 * node states.
 */
@ExtendWith({RequiresRoot.class, ControlPlaneExtension.class})
class FailsafeStatesTest {
  private static final String ON_ALL_TRAFFIC = "{maxConcurrent: 100%}";

  @TempDir Path work;
  private ControlPlane controlPlane;
  private @Nullable OperatedFleet fleet;

  @BeforeEach
  void start(ControlPlane controlPlane) {
    this.controlPlane = controlPlane;
    slice("10.0.9.1");
  }

  @AfterEach
  void end() {
    if (fleet != null) {
      fleet.close();
    }
    controlPlane.client().resource(slice("10.0.9.1")).delete();
  }

  private OperatedFleet fleet(Map<String, String> environment) {
    OperatedFleet started = new OperatedFleet(controlPlane, "failsafe", 2, work, environment);
    fleet = started;
    return started;
  }

  private EndpointSlice slice(String address) {
    return controlPlane
        .client()
        .resource(
            new EndpointSliceBuilder()
                .withNewMetadata()
                .withName("kubernetes")
                .withNamespace("default")
                .addToLabels("kubernetes.io/service-name", "kubernetes")
                .endMetadata()
                .withAddressType("IPv4")
                .addNewEndpoint()
                .withAddresses(address)
                .endEndpoint()
                .addNewPort()
                .withName("https")
                .withProtocol("TCP")
                .withPort(6443)
                .endPort()
                .build())
        .serverSideApply();
  }

  private void status(OperatedFleet of, int index, int kubelet, String... addresses) {
    NodeStatus status =
        new NodeStatusBuilder()
            .withAddresses(
                Stream.of(addresses).map(each -> new NodeAddress(each, "InternalIP")).toList())
            .withNewDaemonEndpoints()
            .withNewKubeletEndpoint(kubelet)
            .endDaemonEndpoints()
            .build();
    controlPlane
        .client()
        .nodes()
        .withName(of.node(index))
        .editStatus(
            node -> {
              node.setStatus(status);
              return node;
            });
  }

  private static @Nullable NodeFailsafe failsafe(OperatedFleet of, int index) {
    TokenBucketNodeState state = of.state(index);
    return state == null ? null : state.getSpec().failsafe();
  }

  private static void awaitPeers(OperatedFleet of, String... peers) {
    Poll.until(
        "peers " + List.of(peers),
        () ->
            Stream.of(0, 1)
                .map(index -> failsafe(of, index))
                .allMatch(found -> found != null && found.peers().equals(List.of(peers))));
  }

  private static String versions(OperatedFleet of) {
    return of.kubectl(
        "get", "tbns", "-o", "jsonpath={range .items[*]}{.metadata.resourceVersion} {end}");
  }

  @Test
  void aPolicyOnAllTrafficComesWithWhatKeepsNodesInTheClusterAndFollowsIt() {
    OperatedFleet all = fleet(Map.of());
    status(all, 0, 10_250, "10.0.1.5", "fd00:1::5");
    status(all, 1, 10_255, "10.0.1.6");
    all.apply("p", 1, ON_ALL_TRAFFIC);
    all.nodes.awaitProgrammed("p");
    awaitPeers(all, "10.0.1.0/24", "10.0.9.1/32", "fd00:1::/64");
    assertThat(failsafe(all, 0))
        .isEqualTo(
            new NodeFailsafe(
                List.of("10.0.1.0/24", "10.0.9.1/32", "fd00:1::/64"),
                null,
                List.of("10.0.9.1:6443"),
                List.of(4789, 6081, 8472)));
    assertThat(failsafe(all, 1)).extracting(NodeFailsafe::kubeletPort).isEqualTo(10_255);

    Daemon.pause(Duration.ofSeconds(2));
    String quiet = versions(all);
    status(all, 1, 10_255, "10.0.1.77");
    status(all, 0, 10_250, "10.0.1.5", "fd00:1::6", "127.0.0.1", "0.0.0.0");
    all.restartOperator();
    Daemon.pause(Duration.ofSeconds(4));
    assertThat(versions(all)).as("a known network, and a restart, write nothing").isEqualTo(quiet);

    status(all, 1, 10_255, "10.0.2.6");
    awaitPeers(all, "10.0.1.0/24", "10.0.2.0/24", "10.0.9.1/32", "fd00:1::/64");
    slice("10.0.9.2");
    awaitPeers(all, "10.0.1.0/24", "10.0.2.0/24", "10.0.9.2/32", "fd00:1::/64");
    assertThat(failsafe(all, 0))
        .extracting(NodeFailsafe::apiServers)
        .isEqualTo(List.of("10.0.9.2:6443"));
  }

  @Test
  void aForeignEditIsPutBackAndSettingsGoBeforeWhatIsFound() {
    OperatedFleet all =
        fleet(
            Map.of(
                "TOKENBUCKET_FAILSAFE_DISCOVER",
                "false",
                "TOKENBUCKET_FAILSAFE_PEERS",
                "192.0.2.0/24,2001:db8::/32",
                "TOKENBUCKET_FAILSAFE_OVERLAY_PORTS",
                "4789",
                "TOKENBUCKET_FAILSAFE_API_SERVERS",
                "198.51.100.7"));
    status(all, 0, 10_255, "10.0.1.5");
    all.apply("p", 1, ON_ALL_TRAFFIC);
    all.nodes.awaitProgrammed("p");
    NodeFailsafe expected =
        new NodeFailsafe(
            List.of("192.0.2.0/24", "198.51.100.7/32", "2001:db8::/32"),
            null,
            List.of("198.51.100.7:6443"),
            List.of(4789));
    assertThat(failsafe(all, 0)).isEqualTo(expected);
    all.kubectl(
        "patch",
        "tbns/" + all.node(0),
        "--type=merge",
        "-p={\"spec\":{\"failsafe\":{\"peers\":[\"0.0.0.0/0\"]}}}");
    Poll.until("it to be put back", () -> expected.equals(failsafe(all, 0)));
  }
}

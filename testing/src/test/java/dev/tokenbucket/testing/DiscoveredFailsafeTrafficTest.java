// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeAddress;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.NodeStatusBuilder;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** An operator and an agent without failsafe settings, and a policy on all traffic. */
@ExtendWith({RequiresRoot.class, ControlPlaneExtension.class})
class DiscoveredFailsafeTrafficTest {
  private static final int KUBELET = 10_250;
  private static final int VXLAN = 4789;
  private static final int OTHER = 7001;

  @TempDir Path work;
  private ControlPlane controlPlane;
  private Cluster cluster;
  private TestNetwork network;
  private TestHost host;
  private Daemon operator;
  private Daemon agent;

  @BeforeEach
  void start(ControlPlane controlPlane) {
    this.controlPlane = controlPlane;
    cluster = new Cluster(controlPlane);
    network = TestNetwork.of(1, work);
    host = network.hosts().get(0);
    controlPlane.serve(network.hosts(), Daemon.Lifetime.WITH_PARENT);
    Node node =
        controlPlane
            .client()
            .resource(
                new NodeBuilder().withNewMetadata().withName(host.name()).endMetadata().build())
            .create();
    node.setStatus(
        new NodeStatusBuilder()
            .withAddresses(List.of(new NodeAddress(host.address(), "InternalIP")))
            .build());
    controlPlane.client().resource(node).updateStatus();
    operator = cluster.startOperator(work.resolve("operator.log"), Daemon.Lifetime.WITH_PARENT);
    agent =
        host.startClusterAgent(cluster.agentKubeconfig(host.name()), Daemon.Lifetime.WITH_PARENT);
  }

  @AfterEach
  void end() {
    cluster.kubectl("delete", "tbp,nodes", "--all", "--timeout=20s");
    agent.close();
    operator.close();
    network.close();
  }

  @Test
  void aPolicyOnAllTrafficCutsTheNodeOffNeitherItsKubeletNorItsOverlay() throws Exception {
    cluster.apply(
        """
        apiVersion: tokenbucket.dev/v1alpha1
        kind: TokenBucketPolicy
        metadata: {name: all}
        spec: {rate: {packetsPerSecond: 1}, burst: {packets: 1}}
        """);
    cluster.kubectl("wait", "--for=condition=Programmed", "--timeout=20s", "tbp/all");

    InetSocketAddress kubelet = new InetSocketAddress(host.address(), KUBELET);
    String source = network.namespaces().get(0);
    try (DatagramSocket from = HostTest.bound(source, "10.88.1.2", 0);
        DatagramSocket overlay = HostTest.bound(host.namespace(), host.address(), VXLAN);
        DatagramSocket other = HostTest.bound(host.namespace(), host.address(), OTHER);
        ServerSocket server =
            Inside.call(
                host.namespace(), () -> new ServerSocket(KUBELET, 8, kubelet.getAddress()))) {
      assertThat(server.isBound()).isTrue();
      assertThat(HostTest.arriving(50, from, other)).isLessThanOrEqualTo(2);
      assertThat(HostTest.arriving(50, from, overlay)).isEqualTo(50);
      HostTest.send(20, from, other);
      assertThat(connects(source, kubelet)).isTrue();
    }
    TokenBucketNodeState state =
        controlPlane.client().resources(TokenBucketNodeState.class).withName(host.name()).get();
    assertThat(state.getStatus().exempt())
        .contains("kubelet: TCP 10250 with 10.88.1.0/24", "overlay: UDP 4789 with 10.88.1.0/24");
    assertThat(Commands.run(host.tb("status")))
        .contains("exempt unless a policy says otherwise: kubelet: TCP 10250 with 10.88.1.0/24");
    assertThat(agent.log()).contains("kubelet: TCP 10250 with 10.88.1.0/24");
  }

  private static boolean connects(String namespace, InetSocketAddress to) throws Exception {
    return Inside.call(
        namespace,
        () -> {
          try (Socket socket = new Socket()) {
            socket.bind(new InetSocketAddress("10.88.1.2", 0));
            socket.connect(to, (int) Duration.ofSeconds(1).toMillis());
            return true;
          }
        });
  }
}

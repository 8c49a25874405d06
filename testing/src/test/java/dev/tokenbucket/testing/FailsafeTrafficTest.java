// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The traffic that a node-wide policy still lets through when its bucket is empty. */
class FailsafeTrafficTest extends HostTest {
  private static final int KUBELET = 10_250;
  private static final String ALL = "rate: {packetsPerSecond: 1}, burst: {packets: 1}";

  @Override
  String[] agentOptions() {
    return new String[] {"--failsafe-peer", "10.88.1.2/32"};
  }

  /** Whether the source resolves the host's link address, which it has forgotten. */
  private boolean neighbourIsFound() throws Exception {
    try (DatagramSocket drain = atHost(host.address6(), 7001);
        DatagramSocket from = atSource("fd88:1::2")) {
      send(50, from, drain);
      atSourceRun("ip", "-6", "neigh", "flush", "dev", "to-1");
      send(50, from, drain);
      Daemon.pause(Duration.ofMillis(500));
    }
    return Commands.run(network.atSource(List.of("ip", "-6", "neigh", "show", host.address6())))
        .contains("lladdr");
  }

  @Test
  void neighbourDiscoveryWorksUnlessThePolicySaysOtherwise() throws Exception {
    apply(policy("all", ALL));
    assertThat(neighbourIsFound()).isTrue();

    apply(policy("really-all", ALL + ", failsafe: Disabled"));
    assertThat(neighbourIsFound()).isFalse();
  }

  @Test
  void dhcpPassesByBothPortsOnly() throws Exception {
    apply(policy("all-but-dhcp", ALL));
    try (DatagramSocket server = atHost(host.address(), 67);
        DatagramSocket other = atHost(host.address(), 69);
        DatagramSocket client = bound(sourceNamespace(), "10.88.1.3", 68)) {
      assertThat(arriving(20, client, server)).isEqualTo(20);
      assertThat(arriving(20, client, other)).isLessThanOrEqualTo(2);
    }
  }

  @Test
  void theKubeletIsReachedByItsPeersAndNoOneElse() throws Exception {
    apply(policy("all-but-peers", ALL));
    InetSocketAddress kubelet = new InetSocketAddress(host.address(), KUBELET);
    try (ServerSocket server =
            Inside.call(
                host.namespace(), () -> new ServerSocket(KUBELET, 8, kubelet.getAddress()));
        DatagramSocket drain = atHost(host.address(), 7001);
        DatagramSocket from = atSource("10.88.1.3")) {
      assertThat(server.isBound()).isTrue();
      for (int i = 0; i < 5; i++) {
        send(20, from, drain);
        assertThat(connects("10.88.1.2", kubelet)).isTrue();
      }
      send(20, from, drain);
      assertThat(connects("10.88.1.3", kubelet)).isFalse();
    }
  }

  private boolean connects(String from, InetSocketAddress to) throws Exception {
    return Inside.call(
        sourceNamespace(),
        () -> {
          try (Socket socket = new Socket()) {
            socket.bind(new InetSocketAddress(from, 0));
            socket.connect(to, 300);
            return true;
          } catch (SocketTimeoutException e) {
            return false;
          } catch (IOException e) {
            throw new IllegalStateException(from + " to " + to, e);
          }
        });
  }
}

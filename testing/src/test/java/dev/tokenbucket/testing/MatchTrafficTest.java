// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which real sockets' packets a policy judges. */
class MatchTrafficTest extends HostTest {
  private static final int PORT = 7001;

  @Test
  void onlyTheMatchedPortAndNetworkAreLimited() throws Exception {
    apply(
        policy(
            "port-and-network",
            "match: [{protocol: UDP, destinationPorts: [7001], sourceCIDRs: [10.88.1.3/32]}],"
                + " rate: {packetsPerSecond: 1}, burst: {packets: 5}"));
    try (DatagramSocket matched = atHost(host.address(), PORT);
        DatagramSocket otherPort = atHost(host.address(), PORT + 1);
        DatagramSocket inside = atSource("10.88.1.3");
        DatagramSocket outside = atSource("10.88.1.2")) {
      assertThat(arriving(20, inside, otherPort)).isEqualTo(20);
      assertThat(arriving(20, outside, matched)).isEqualTo(20);
      assertThat(arriving(20, inside, matched)).isBetween(5, 6);
    }
  }

  @Test
  void ipv6NetworksAreMatchedAndWhatIsExemptIsNotCounted() throws Exception {
    apply(
        policy(
            "network6",
            "match: [{sourceCIDRs: ['fd88:1::/112']}], exempt: [{destinationPorts: [7002]}],"
                + " rate: {packetsPerSecond: 1}, burst: {packets: 5}"));
    try (DatagramSocket judged = atHost(host.address6(), PORT);
        DatagramSocket exempt = atHost(host.address6(), PORT + 1);
        DatagramSocket from = atSource("fd88:1::3")) {
      assertThat(arriving(20, from, exempt)).isEqualTo(20);
      assertThat(arriving(20, from, judged)).isBetween(5, 6);
      assertThat(arriving(20, from, exempt)).isEqualTo(20);
    }
    assertThat(host.policy("network6").path("exceedPackets").asInt()).isBetween(14, 15);
  }

  @Test
  void realPacketsAreToldByLengthDscpAndFragment() throws Exception {
    String few = "rate: {packetsPerSecond: 1}, burst: {packets: 5}";
    apply(
        policy("lengths", "match: [{protocol: UDP, packetLengths: [1000-1100]}], " + few)
            + policy("marked", "match: [{protocol: UDP, dscps: [46]}], " + few)
            + policy("later", "match: [{fragment: Later}], " + few));
    try (DatagramSocket to = atHost(host.address(), PORT);
        DatagramSocket plain = atSource("10.88.1.2");
        DatagramSocket marked = atSource("10.88.1.2")) {
      marked.setTrafficClass(46 << 2);
      assertThat(arriving(20, plain, to)).isEqualTo(20);
      assertThat(arriving(20, 1000, plain, to)).isBetween(5, 6);
      assertThat(arriving(20, marked, to)).isBetween(5, 6);
      // Two of its three fragments are later ones.
      assertThat(arriving(20, 3000, plain, to)).isBetween(2, 3);
      assertThat(arriving(20, plain, to)).isEqualTo(20);
    }
  }

  private static int arriving(int count, int bytes, DatagramSocket from, DatagramSocket to)
      throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[bytes], bytes, to.getLocalSocketAddress());
    for (int i = 0; i < count; i++) {
      from.send(packet);
    }
    return received(to);
  }

  @Test
  void newConnectionsAreLimitedAndEstablishedOnesGoOn() throws Exception {
    apply(policy("connections", "rate: {connectionsPerSecond: 1}, burst: {connections: 5}"));
    InetSocketAddress at = new InetSocketAddress(host.address(), PORT);
    try (ServerSocket server =
            Inside.call(host.namespace(), () -> new ServerSocket(PORT, 64, at.getAddress()));
        Socket established = connect(at);
        Socket accepted = server.accept()) {
      assertThat(established(20, at)).isBetween(4, 6);
      byte[] sent = new byte[100_000];
      established.getOutputStream().write(sent);
      assertThat(accepted.getInputStream().readNBytes(sent.length)).hasSize(sent.length);
    }
  }

  private Socket connect(InetSocketAddress to) throws Exception {
    return Inside.call(
        sourceNamespace(),
        () -> {
          Socket socket = new Socket();
          socket.connect(to, 2_000);
          socket.setSoTimeout(5_000);
          return socket;
        });
  }

  /** How many of these simultaneous connects get through before the first SYN is repeated. */
  private int established(int count, InetSocketAddress to) throws Exception {
    List<SocketChannel> all = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        all.add(Inside.call(sourceNamespace(), () -> connecting(to)));
      }
      Daemon.pause(Duration.ofMillis(300));
      int established = 0;
      for (SocketChannel each : all) {
        established += each.finishConnect() ? 1 : 0;
      }
      return established;
    } finally {
      for (SocketChannel each : all) {
        each.close();
      }
    }
  }

  private static SocketChannel connecting(InetSocketAddress to) throws IOException {
    SocketChannel channel = SocketChannel.open();
    channel.configureBlocking(false);
    channel.connect(to);
    return channel;
  }

  @Test
  void aPacketOfStackedDevicesIsCountedAtEachAndThatIsWarnedOf() throws Exception {
    Commands.run(
        "ip",
        "link",
        "add",
        "member",
        "netns",
        host.namespace(),
        "type",
        "veth",
        "peer",
        "name",
        "bridged",
        "netns",
        sourceNamespace());
    atSourceRun("ip", "addr", "add", "10.77.7.2/24", "dev", "bridged");
    atSourceRun("ip", "link", "set", "bridged", "up");
    atHostRun("ip", "link", "add", "br0", "type", "bridge");
    atHostRun("ip", "link", "set", "member", "master", "br0", "up");
    atHostRun("ip", "addr", "add", "10.77.7.1/24", "dev", "br0");
    atHostRun("ip", "link", "set", "br0", "up");
    TestNetwork.awaitUp(sourceNamespace(), "bridged");
    TestNetwork.awaitUp(host.namespace(), "br0");
    String limit =
        "interfaces: [{name: br0}, {name: member}],"
            + " match: [{protocol: UDP, destinationPorts: [7001]}],"
            + " rate: {packetsPerSecond: 1}, burst: {packets: 10}, bucket: {per: ";
    apply(policy("once", limit + "Interface}"));
    Poll.until("programs on both", () -> host.status().path("hooks").size() == 2);
    try (DatagramSocket to = atHost("10.77.7.1", PORT);
        DatagramSocket from = atSource("10.77.7.2")) {
      assertThat(arriving(30, from, to)).isBetween(10, 11);
      assertThat(host.status().path("warnings")).isEmpty();

      apply(policy("twice", limit + "Node}"));
      Poll.until(
          "a warning of br0 on member",
          () ->
              host.status()
                  .path("warnings")
                  .toString()
                  .contains("twice: br0 is stacked on member"));
      assertThat(arriving(30, from, to)).isBetween(0, 6);
    }
  }

  @Test
  void policiesOnTheSameTrafficAreToldTheirOrder() throws Exception {
    apply(
        policy("first", "priority: 1, rate: {packetsPerSecond: 1k}, burst: {packets: 100}")
            + policy("second", "priority: 2, rate: {packetsPerSecond: 1k}, burst: {packets: 100}"));
    Poll.until(
        "warnings of the overlap",
        () ->
            host.status()
                .path("warnings")
                .toString()
                .contains(
                    "second: eth0 Ingress: may judge the same packets, before this one first"));
    assertThat(Commands.run(host.tb("status"))).contains("warning: first: eth0 Ingress");
  }
}

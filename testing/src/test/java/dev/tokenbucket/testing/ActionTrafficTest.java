// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.testing.kernel.PacketCapture;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The state in which exceeding packets arrive. Senders fill in checksums themselves, so the
 * receiving host checks them and drops packets with a wrong one.
 */
class ActionTrafficTest extends HostTest {
  private static final int PORT = 7001;
  private static final int BURST = 10;
  private static final int ECT0 = 2;
  private static final int CE = 3;

  /** DSCP 8 in its place above ECN. */
  private static final int CS1 = 8 << 2;

  @BeforeAll
  void leaveNoChecksumToADevice() {
    atSourceRun("ethtool", "-K", "to-1", "tx", "off");
    atSourceRun("sysctl", "-qw", "net.ipv4.tcp_ecn=1");
    atHostRun("sysctl", "-qw", "net.ipv4.tcp_ecn=1");
  }

  private static String limited(String action) {
    return "match: [{destinationPorts: [7001]}], rate: {packetsPerSecond: 1},"
        + " burst: {packets: 10}, exceed: {"
        + action
        + "}";
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 6})
  void whatExceedsArrivesMarkedThoughACaptureIsOpen(int version) throws Exception {
    apply(policy("mark-" + version, limited("action: MarkECN")));
    try (PacketCapture capture = Inside.call(host.namespace(), PacketCapture::new)) {
      assertThat(capture).isNotNull();
      List<Integer> arrived = classesOf(version, BURST + 8, ECT0);
      assertThat(arrived).hasSize(BURST + 8);
      assertThat(Collections.frequency(arrived, ECT0)).isBetween(BURST, BURST + 1);
      assertThat(Collections.frequency(arrived, CE)).isBetween(7, 8);
      assertThat(classesOf(version, 10, 0)).as("what knows no ECN").hasSizeLessThanOrEqualTo(1);
    }
    assertThat(host.policy("mark-" + version).path("markedPackets").asInt()).isBetween(7, 8);
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 6})
  void whatExceedsArrivesWithTheDscpGiven(int version) throws Exception {
    apply(policy("dscp-" + version, limited("action: SetDSCP, dscp: 8")));
    List<Integer> arrived = classesOf(version, BURST + 30, ECT0);

    assertThat(arrived).hasSize(BURST + 30);
    assertThat(Collections.frequency(arrived, ECT0)).isBetween(BURST, BURST + 1);
    assertThat(Collections.frequency(arrived, CS1 | ECT0)).isBetween(29, 30);
  }

  /** The classes in which datagrams of this class arrive. */
  private List<Integer> classesOf(int version, int count, int sentWith) throws Exception {
    InetAddress to = InetAddress.getByName(version == 4 ? host.address() : host.address6());
    try (TrafficClassReceiver receiver =
            Inside.call(host.namespace(), () -> new TrafficClassReceiver(to, PORT));
        DatagramSocket from = atSource(version == 4 ? "10.88.1.2" : "fd88:1::2")) {
      from.setOption(StandardSocketOptions.IP_TOS, sentWith);
      for (int i = 0; i < count; i++) {
        from.send(new DatagramPacket(new byte[64], 64, to, PORT));
      }
      return receiver.classes();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 6})
  void aConnectionThatKnowsEcnIsSlowedAndLosesNoData(int version) throws Exception {
    String to = version == 4 ? host.address() : host.address6();
    apply(
        policy(
            "tcp-" + version,
            "match: [{protocol: TCP, destinationPorts: [7001]}], rate: {bitsPerSecond: 20M},"
                + " burst: {bytes: 50k}, exceed: {action: MarkECN}"));
    byte[] sent = new byte[1_000_000];
    new Random(1).nextBytes(sent);
    try (PacketCapture capture = Inside.call(host.namespace(), PacketCapture::new);
        ServerSocket server =
            Inside.call(
                host.namespace(), () -> new ServerSocket(PORT, 1, InetAddress.getByName(to)));
        Socket sender = Inside.call(sourceNamespace(), () -> new Socket(to, PORT));
        Socket receiver = server.accept()) {
      assertThat(capture).isNotNull();
      receiver.setSoTimeout(20_000);
      FutureTask<byte[]> received = inBackground(() -> receiver.getInputStream().readAllBytes());
      sender.getOutputStream().write(sent);
      sender.shutdownOutput();
      assertThat(Arrays.equals(received.get(), sent)).isTrue();
    }
    assertThat(host.policy("tcp-" + version).path("markedPackets").asInt()).isPositive();
  }

  private static <T> FutureTask<T> inBackground(Callable<T> code) {
    FutureTask<T> task = new FutureTask<>(code);
    Thread thread = new Thread(task, "receiver");
    thread.setDaemon(true);
    thread.start();
    return task;
  }

  @Test
  void anAuditedPolicyMarksNothing() throws Exception {
    apply(policy("audit", limited("action: SetDSCP, dscp: 8") + ", mode: Audit"));

    assertThat(classesOf(4, BURST + 10, ECT0)).hasSize(BURST + 10).containsOnly(ECT0);
    assertThat(host.policy("audit").path("exceedPackets").asInt()).isBetween(9, 10);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * TCP that the kernel carries in merged packets, into the first host by one interface and out of it
 * by another, to the second host.
 */
class MergedPacketTrafficTest extends HostTest {
  private static final int PORT = 7001;
  private static final String FAR = "10.77.0.2";

  private static final int MOST_TRANSFERS = 10;

  /** Ethernet, IPv4, and TCP with timestamps. */
  private static final int HEADERS = 14 + 20 + 32;

  @Override
  int hosts() {
    return 2;
  }

  private TestHost far() {
    return network.hosts().get(1);
  }

  @BeforeAll
  void joinTheHosts() {
    Commands.run(
        "ip",
        "link",
        "add",
        "mid",
        "netns",
        host.namespace(),
        "type",
        "veth",
        "peer",
        "name",
        "mid",
        "netns",
        far().namespace());
    for (TestHost each : network.hosts()) {
      String address = each == host ? "10.77.0.1/24" : FAR + "/24";
      Commands.run(each.inside(List.of("ip", "addr", "add", address, "dev", "mid")));
      Commands.run(each.inside(List.of("ip", "link", "set", "mid", "up")));
    }
    for (TestHost each : network.hosts()) {
      TestNetwork.awaitUp(each.namespace(), "mid");
    }
    atHostRun("sysctl", "-qw", "net.ipv4.ip_forward=1");
    atSourceRun("ip", "route", "add", "10.77.0.0/24", "via", host.address());
    Commands.run(far().inside(List.of("ip", "route", "add", "10.88.1.0/24", "via", "10.77.0.1")));
  }

  private static String counted(String name, String on, String direction, String limit) {
    return policy(
        name,
        "direction: %s, interfaces: [{name: %s}], match: [{protocol: TCP, destinationPorts: [7001]}], %s"
            .formatted(direction, on, limit));
  }

  /** Sends this many bytes to the far host and returns how many arrived. */
  private int transfer(int bytes) throws Exception {
    InetSocketAddress to = new InetSocketAddress(FAR, PORT);
    try (ServerSocket server =
            Inside.call(far().namespace(), () -> new ServerSocket(PORT, 1, to.getAddress()));
        Socket sender = Inside.call(sourceNamespace(), () -> new Socket(FAR, PORT));
        Socket receiver = server.accept()) {
      receiver.setSoTimeout(30_000);
      FutureTask<Integer> received =
          new FutureTask<>(() -> receiver.getInputStream().readNBytes(bytes).length);
      Thread thread = new Thread(received, "receiver");
      thread.setDaemon(true);
      thread.start();
      sender.getOutputStream().write(new byte[bytes]);
      return received.get();
    }
  }

  @Test
  void ingressAndEgressCountTheSameBytesAndSegments() throws Exception {
    String limit = "rate: {bitsPerSecond: 100G}";
    apply(counted("in", "eth0", "Ingress", limit) + counted("out", "mid", "Egress", limit));
    Poll.until("programs on both", () -> host.status().path("hooks").size() == 2);
    int bytes = 4_000_000;
    Transfer transfer = undisturbed(bytes);

    assertThat(transfer.merged())
        .as("packets as the interface has them")
        .isLessThan(transfer.in().packets() / 2);
    assertThat(transfer.out()).isEqualTo(transfer.in());
    // the first packet has more options than the others
    assertThat(transfer.in().bytes() - transfer.in().packets() * HEADERS - bytes)
        .isBetween(0L, 20L);
  }

  private record Counts(long packets, long bytes) {
    Counts since(Counts before) {
      return new Counts(packets - before.packets, bytes - before.bytes);
    }
  }

  /**
   * What a transfer cost.
   *
   * @param merged packets as the interface had them
   */
  private record Transfer(long merged, Counts in, Counts out) {}

  /** Where nothing was sent twice: on a busy machine TCP repeats a segment whose ACK is late. */
  private Transfer undisturbed(int bytes) throws Exception {
    for (int i = 0; i < MOST_TRANSFERS; i++) {
      long retransmitted = retransmitted();
      long received = received();
      Counts in = counts("in");
      Counts out = counts("out");
      assertThat(transfer(bytes)).isEqualTo(bytes);
      Daemon.pause(Duration.ofMillis(300));
      if (retransmitted() == retransmitted) {
        return new Transfer(
            received() - received, counts("in").since(in), counts("out").since(out));
      }
    }
    throw new StepFailedException(
        "TCP sent a segment twice in each of " + MOST_TRANSFERS + " transfers", null);
  }

  private Counts counts(String policy) {
    JsonNode counted = host.policy(policy);
    return new Counts(
        counted.path("conformPackets").asLong(), counted.path("conformBytes").asLong());
  }

  /** Segments that the source sent again, RetransSegs of its Tcp: lines of /proc/net/snmp. */
  private long retransmitted() {
    List<String[]> tcp =
        Commands.run(network.atSource(List.of("cat", "/proc/net/snmp")))
            .lines()
            .filter(line -> line.startsWith("Tcp:"))
            .map(line -> line.split(" ", -1))
            .toList();
    int column = List.of(tcp.get(0)).indexOf("RetransSegs");
    return Long.parseLong(tcp.get(1)[column]);
  }

  private long received() throws Exception {
    String json =
        Commands.run(host.inside(List.of("ip", "-s", "-j", "link", "show", "dev", "eth0")));
    return new ObjectMapper()
        .readTree(json)
        .path(0)
        .path("stats64")
        .path("rx")
        .path("packets")
        .asLong();
  }

  @Test
  void aMergedPacketLargerThanTheBurstIsNotRefusedForEver() throws Exception {
    String limit = "rate: {bitsPerSecond: 200M}, burst: {bytes: 1514}";
    apply(counted("small-burst", "eth0", "Ingress", limit));
    int bytes = 200_000;

    assertThat(transfer(bytes)).isEqualTo(bytes);
    JsonNode counts = host.policy("small-burst");
    assertThat(counts.path("conformBytes").asLong()).isGreaterThan(bytes);
  }
}

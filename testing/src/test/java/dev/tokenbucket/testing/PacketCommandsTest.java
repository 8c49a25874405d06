// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tokenbucket.testing.Commands.Outcome;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Issue 19, {@code tb explain}, {@code tb replay}, {@code tb top} and {@code tb observe} on a host
 * with an agent: what they say, and that none changes what limits packets. Rates are so low that no
 * bucket fills while a test looks.
 */
class PacketCommandsTest extends HostTest {
  private static final int PORT = 5300;

  /** The bytes of a frame whose datagram has 64 bytes. */
  private static final int FRAME = 64 + 42;

  private static final String EACH_SOURCE =
      """
      interfaces: [{name: eth0}], priority: 1, exempt: [{sourceCIDRs: [10.88.1.200/32]}],
      match: [{protocol: TCP, destinationPorts: [443]}, {protocol: UDP}],
      bucket: {per: SourceIP}, rate: {bitsPerSecond: 8}, burst: {bytes: 2000}
      """;

  private static final String ALL =
      """
      interfaces: [{name: eth0}], priority: 2, bucket: {per: Node}, failsafe: Disabled,
      rate: {packetsPerSecond: 1M}
      """;

  @TempDir private Path work;

  private JsonNode json(String... command) {
    Outcome outcome = Commands.end(host.tb(command));
    assertThat(outcome.code()).as(outcome.output()).isZero();
    try {
      return new ObjectMapper().readTree(outcome.output());
    } catch (JsonProcessingException e) {
      throw new AssertionError(outcome.output(), e);
    }
  }

  private JsonNode explain(String... packet) {
    return json(
        Stream.concat(Stream.of("explain", "--in", "eth0", "-o", "json"), Stream.of(packet))
            .toArray(String[]::new));
  }

  private Set<Path> pins() throws IOException {
    try (Stream<Path> all = Files.walk(host.bpffs())) {
      return all.collect(Collectors.toSet());
    }
  }

  /** The counters of the policy that matches only this test's traffic. */
  private String counters() {
    return host.policy("explained").toString();
  }

  @Test
  void aPacketIsExplainedAndNothingIsChanged() throws Exception {
    apply(
        policy("explained", EACH_SOURCE.replace("\n", " "))
            + policy("explained-all", ALL.replace("\n", " ")));
    try (DatagramSocket to = atHost(host.address(), PORT);
        DatagramSocket from = atSource(host.source(2))) {
      assertThat(arriving(25, from, to)).isEqualTo(18);
    }
    String before = counters();
    Set<Path> pinned = pins();
    String source = host.source(2);

    JsonNode large =
        explain("--src", source, "--proto", "udp", "--dport", "53", "--length", "1000");
    assertThat(large.path("verdict").asText()).isEqualTo("Drop");
    JsonNode first = large.path("policies").path(0);
    assertThat(first.path("name").asText()).isEqualTo("explained");
    assertThat(first.path("result").asText()).isEqualTo("Exceed");
    assertThat(first.path("matchedBy").path("index").asInt()).isEqualTo(1);
    JsonNode bucket = first.path("bucket");
    assertThat(bucket.path("key").asText()).isEqualTo(source);
    assertThat(bucket.path("new").asBoolean()).isFalse();
    assertThat(bucket.path("tokens").asDouble()).isBetween(2000.0 - 18 * FRAME - 32, 900.0);
    assertThat(bucket.path("cost").asInt()).isEqualTo(1000);
    assertThat(bucket.path("left")).isEqualTo(bucket.path("tokens"));
    assertThat(large.path("policies").path(1).path("result").asText()).isEqualTo("NotReached");

    JsonNode other = explain("--src", host.source(3), "--dport", "443", "--syn");
    assertThat(other.path("verdict").asText()).isEqualTo("Pass");
    JsonNode fresh = other.path("policies").path(0);
    assertThat(fresh.path("result").asText()).isEqualTo("Conform");
    assertThat(fresh.path("matchedBy").path("index").asInt()).isZero();
    assertThat(fresh.path("bucket").path("new").asBoolean()).isTrue();
    assertThat(fresh.path("bucket").path("left").asDouble())
        .isEqualTo(fresh.path("bucket").path("tokens").asDouble() - 54);
    assertThat(other.path("policies").path(1).path("result").asText()).isEqualTo("Conform");

    assertThat(result(explain("--src", host.source(200), "--proto", "udp"))).isEqualTo("Exempt");
    assertThat(result(explain("--src", source, "--proto", "icmp"))).isEqualTo("NotMatched");
    assertThat(result(explain("--hex", "ffffffffffff 020000000001 0806 0001080006040001")))
        .isEqualTo("NotIp");
    assertThat(result(explain("--hex", dhcp()))).isEqualTo("Failsafe");
    assertThat(counters()).isEqualTo(before);
    assertThat(pinned).as("nothing new").containsAll(pins());
  }

  @Test
  void aParentBucketCapsAllSourcesTogether() throws Exception {
    apply(
        policy(
            "capped",
            "interfaces: [{name: eth0}], match: [{protocol: UDP}], rate: {packets: 1, per: Hour},"
                + " burst: {packets: 8}, bucket: {per: SourceIP, parent: {rate: {packets: 1, per:"
                + " Hour}, burst: {packets: 10}}}"));
    try (DatagramSocket to = atHost(host.address(), PORT);
        DatagramSocket one = atSource(host.source(2));
        DatagramSocket other = atSource(host.source(3))) {
      assertThat(arriving(25, one, to)).as("its own bucket").isEqualTo(8);
      assertThat(arriving(25, other, to)).as("what the parent has left").isEqualTo(2);
    }
    JsonNode parent = host.policy("capped").path("parent");
    assertThat(parent.path("exceedPackets").asInt()).isEqualTo(23);
    assertThat(parent.path("burst").asInt()).isEqualTo(10);
    assertThat(parent.path("ratePeriod").asText()).isEqualTo("Hour");

    JsonNode step = explain("--src", host.source(3), "--proto", "udp").path("policies").path(0);
    assertThat(step.path("result").asText()).isEqualTo("Exceed");
    assertThat(step.path("refusedByParent").asBoolean()).isTrue();
    assertThat(step.path("bucket").path("tokens").asDouble()).isBetween(5.9, 6.1);
    assertThat(step.path("parent").path("tokens").asDouble()).isBetween(0.0, 0.1);
    assertThat(Commands.end(host.tb("status")).output())
        .contains("parent bucket of capped on eth0 Ingress: 1 packets/h, burst 10 packets");
    assertThat(
            Commands.end(
                    host.tb("explain", "--in", "eth0", "--src", host.source(3), "--proto", "udp"))
                .output())
        .contains("parent bucket: holds 0.0")
        .contains("exceeds the parent: needs 1.00 packets");
  }

  private static String result(JsonNode explanation) {
    return explanation.path("policies").path(0).path("result").asText();
  }

  /** A datagram from port 68 to 67, as a DHCP client sends it. */
  private static String dhcp() {
    return "ffffffffffff 020000000001 0800 4500001c 00000000 40110000 00000000 ffffffff"
        + " 00440043 00080000";
  }

  @Test
  void aCaptureIsReplayedAgainstWhatIsInForce() throws Exception {
    apply(policy("replayed", EACH_SOURCE.replace("\n", " ")));
    Path capture = Files.write(work.resolve("capture.pcap"), capture(30));
    Path dropped = work.resolve("dropped.pcap");
    Set<Path> pinned = pins();

    JsonNode report =
        json("replay", capture.toString(), "-o", "json", "--write-dropped", dropped.toString());
    assertThat(report.path("packets").asInt()).isEqualTo(30);
    JsonNode policy = report.path("policies").path(0);
    assertThat(policy.path("name").asText()).isEqualTo("replayed");
    // 2,000 bytes of burst, and a byte a second: each packet has 100.
    assertThat(policy.path("conformPackets").asInt()).isEqualTo(20);
    assertThat(policy.path("exceedPackets").asInt()).isEqualTo(10);
    assertThat(policy.path("firstRefusals").path(0).path("packet").asInt()).isEqualTo(21);
    assertThat(Files.size(dropped)).isEqualTo(24 + 10 * (16 + 100));
    assertThat(host.policy("replayed").path("conformPackets").asInt()).isZero();
    assertThat(pinned).as("nothing new").containsAll(pins());

    JsonNode packet = explain("--pcap", capture.toString(), "--packet", "7");
    assertThat(packet.path("packet").path("source").asText()).isEqualTo("10.88.1.9");
    assertThat(Commands.end(host.tb("replay", capture.toString(), "--in", "eth9")).code()).isOne();

    Path cut = Files.write(work.resolve("cut.pcap"), Arrays.copyOf(capture(30), 500));
    Outcome ended = Commands.end(host.tb("replay", cut.toString()));
    assertThat(ended.code()).isOne();
    assertThat(ended.output())
        .contains("4 packets in")
        .contains("cut.pcap, at byte 500: the file ends within the record of a packet");
  }

  /** Predicted without the classifier, and replayed by it. */
  @Test
  void whatIsSuggestedRefusesWhatItSays() throws Exception {
    Path capture = Files.write(work.resolve("all.pcap"), capture(300));
    String tb = Commands.repository().resolve("bin/tb").toString();
    Outcome suggested = Commands.end(List.of(tb, "suggest", capture.toString(), "--refuse", "10"));
    assertThat(suggested.code()).as(suggested.output()).isZero();
    assertThat(suggested.output())
        .contains("# Wanted: at most 10 % of packets refused. This rate refuses 10.00 % of them");
    Path policy = Files.writeString(work.resolve("suggested.yaml"), suggested.output());

    JsonNode report =
        json("replay", capture.toString(), "--policy", policy.toString(), "-o", "json");
    assertThat(report.path("dropped").asInt()).as("in Audit").isZero();
    // The burst is some 270 packets, of which the classifier holds back up to a 64th.
    assertThat(report.path("policies").path(0).path("exceedPackets").asInt()).isBetween(30, 35);
  }

  /** UDP frames of 100 bytes within a second, from 10.88.1.9. */
  private static byte[] capture(int count) {
    ByteBuffer file = ByteBuffer.allocate(24 + count * (16 + 100));
    file.putInt(0xa1b2c3d4).putShort((short) 2).putShort((short) 4).putLong(0);
    file.putInt(65_535).putInt(1);
    for (int i = 0; i < count; i++) {
      file.putInt(1_700_000_000).putInt(i).putInt(100).putInt(100);
      ByteBuffer frame = ByteBuffer.allocate(100).putShort(12, (short) 0x0800);
      frame.put(14, (byte) 0x45).putShort(16, (short) 86).put(22, (byte) 64).put(23, (byte) 17);
      frame.put(26, new byte[] {10, 88, 1, 9}).put(30, new byte[] {10, 88, 1, 1});
      file.put(frame.array());
    }
    return file.array();
  }

  /** One source sends far more than its rate, another less than a tenth of it. */
  @Test
  void topShowsWhoIsLimitedNow() throws Exception {
    apply(
        policy(
            "shown",
            "interfaces: [{name: eth0}], bucket: {per: SourceIP},"
                + " rate: {packetsPerSecond: 100}, burst: {packets: 1000}"));
    try (DatagramSocket to = atHost(host.address(), PORT + 1);
        DatagramSocket flooding = atSource(host.source(4));
        DatagramSocket modest = atSource(host.source(3));
        Flood flood = new Flood(flooding, modest, to)) {
      send(1_100, flooding, to);
      JsonNode report = json("top", "--once", "--interval", "1", "-o", "json");
      assertThat(flood.isRunning()).isTrue();
      JsonNode policy = report.path("policies").path(0);
      assertThat(policy.path("name").asText()).isEqualTo("shown");
      assertThat(policy.path("exceedPackets").asDouble()).isPositive();
      assertThat(policy.path("keyCount").asInt()).isEqualTo(2);
      assertThat(policy.path("limitedKeys").asInt()).isEqualTo(1);
      JsonNode first = policy.path("keys").path(0);
      assertThat(first.path("key").asText()).isEqualTo(host.source(4));
      assertThat(first.path("limited").asBoolean()).isTrue();
      assertThat(first.path("spent").asDouble()).isBetween(50.0, 150.0);
      assertThat(policy.path("keys").path(1).path("limited").asBoolean()).isFalse();
      assertThat(Commands.end(host.tb("top", "--once", "--interval", "1")).output())
          .containsPattern(host.source(4) + " +yes");
    }
    assertThat(Commands.end(host.tb("top", "--interval", "0")).code()).isEqualTo(2);
  }

  /** Sends from one socket as fast as it can, and from another now and then. */
  private static final class Flood implements AutoCloseable {
    private final Thread thread;
    private volatile boolean ended;

    Flood(DatagramSocket flooding, DatagramSocket modest, DatagramSocket to) {
      thread =
          new Thread(
              () -> {
                try {
                  while (!ended) {
                    send(20, flooding, to);
                    send(1, modest, to);
                    Daemon.pause(Duration.ofMillis(20));
                  }
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
      thread.start();
    }

    boolean isRunning() {
      return thread.isAlive();
    }

    @Override
    public void close() throws InterruptedException {
      ended = true;
      thread.join();
    }
  }

  private Observed observe(String... options) throws IOException {
    return new Observed(
        host.tb(Stream.concat(Stream.of("observe"), Stream.of(options)).toArray(String[]::new)),
        work);
  }

  private static String observed(String name, int priority, String more) {
    return policy(
        name,
        ("interfaces: [{name: eth0}], priority: %d, bucket: {per: SourceIP}, %s,"
                + " rate: {packets: 1, per: Hour}, burst: {packets: 5}")
            .formatted(priority, more));
  }

  /** Also while the agent exchanges the program, and after an observer was killed. */
  @Test
  void refusalsAreShownAsTheyHappen() throws Exception {
    apply(observed("observed", 2, "match: [{protocol: UDP}]"));
    try (DatagramSocket to = atHost(host.address(), PORT + 2);
        DatagramSocket first = atSource(host.source(3));
        DatagramSocket second = atSource(host.source(4));
        Observed observed = observe("-o", "json")) {
      observed.await("a refusal", () -> !observed.lines().isEmpty(), () -> send(6, first, to));
      received(to);
      int refused = 40 - arriving(40, second, to);
      observed.await("the others", () -> from(second, observed).size() >= refused, () -> {});
      assertThat(from(second, observed)).hasSize(refused);
      assertThat(from(second, observed))
          .allSatisfy(
              each -> {
                assertThat(each.path("interface").asText()).isEqualTo("eth0");
                assertThat(each.path("direction").asText()).isEqualTo("Ingress");
                assertThat(each.path("policy").asText()).isEqualTo("observed");
                assertThat(each.path("outcome").asText()).isEqualTo("Refused");
                assertThat(each.path("key").asText()).isEqualTo(host.source(4));
                assertThat(each.path("destination").asText()).isEqualTo(host.address());
                assertThat(each.path("protocol").asText()).isEqualTo("UDP");
                assertThat(each.path("sourcePort").asInt()).isEqualTo(second.getLocalPort());
                assertThat(each.path("destinationPort").asInt()).isEqualTo(PORT + 2);
                assertThat(each.path("length").asInt()).isEqualTo(FRAME);
              });

      assertThat(Commands.end(host.tb("observe")).output()).contains("another tb observe runs");
      apply(
          observed("audited", 1, "mode: Audit")
              + observed("observed", 2, "match: [{protocol: UDP}]"));
      observed.await(
          "an excess of the new policy",
          () -> observed.lines().stream().anyMatch(line -> line.contains("\"Audited\"")),
          () -> send(6, first, to));
      observed.await(
          "the notice",
          () -> observed.errors().contains("now these are: audited, observed"),
          () -> {});
      observed.interrupt();
      JsonNode summary = observed.objects().get(observed.objects().size() - 1);
      assertThat(summary.path("schema").asText()).isEqualTo("tokenbucket.dev/observe/v1");
      assertThat(summary.path("shown").asInt()).isEqualTo(observed.lines().size() - 1);
      assertThat(summary.path("lost").asInt()).isZero();

      try (Observed killed = observe("--in", "eth0", "--for", "1h")) {
        killed.await("a refusal", () -> !killed.lines().isEmpty(), () -> send(6, first, to));
        killed.kill();
      }
      try (Observed bounded =
          observe("--in", "eth0", "--policy", "observed", "--rate=3", "--count=4")) {
        bounded.await("the end", () -> !bounded.isRunning(), () -> send(20, first, to));
        assertThat(bounded.end()).isZero();
        assertThat(bounded.lines()).hasSize(5);
        assertThat(bounded.lines().get(0))
            .containsPattern(
                "^[0-9:.]{15}  eth0 Ingress  observed refused  key %s  UDP %s:%d > %s:%d  %d bytes$"
                    .formatted(
                        host.source(3),
                        host.source(3),
                        first.getLocalPort(),
                        host.address(),
                        PORT + 2,
                        FRAME));
        assertThat(bounded.lines().get(4))
            .containsPattern(
                "^shown 4, suppressed [0-9,]+ \\(0 by --sample, [0-9,]+ by --rate, [0-9,]+ by --count\\), lost 0$");
      }
    }
    assertThat(Commands.end(host.tb("observe", "--policy", "absent")).output())
        .contains("--policy absent: no policy of this name is in force");
  }

  private static List<JsonNode> from(DatagramSocket source, Observed observed) {
    return observed.objects().stream()
        .filter(
            each -> each.path("source").asText().equals(source.getLocalAddress().getHostAddress()))
        .toList();
  }

  @Test
  void whatIsMissingIsTold() {
    assertThat(Commands.end(host.tb("explain", "--in", "lo", "--src", "10.0.0.1")).output())
        .contains("lo Ingress runs no Tokenbucket program");
    for (List<String> wrong :
        List.of(
            List.of("explain", "--src", "10.0.0.1"),
            List.of("explain", "--in", "eth0"),
            List.of("explain", "--in", "eth0", "--src", "10.0.0"),
            List.of("explain", "--in", "eth0", "--src", "10.0.0.1", "--dst", "fd00::1"),
            List.of("explain", "--in", "eth0", "--src", "10.0.0.1", "--proto", "tpc"),
            List.of("explain", "--in", "eth0", "--hex", "abc"),
            List.of("observe", "--rate", "0"),
            List.of("observe", "--for", "10"),
            List.of("replay"))) {
      assertThat(Commands.end(host.tb(wrong.toArray(String[]::new))).code()).isEqualTo(2);
    }
  }
}

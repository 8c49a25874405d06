// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static dev.tokenbucket.agent.program.Terms.TCP;
import static dev.tokenbucket.agent.program.Terms.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.match.FailsafeSettings.ApiServer;
import dev.tokenbucket.agent.match.FailsafeTraffic;
import dev.tokenbucket.agent.source.PolicyFileParser;
import dev.tokenbucket.agent.source.PolicyFileParser.Taker;
import dev.tokenbucket.agent.source.PolicyFiles.Parsed;
import dev.tokenbucket.agent.source.PolicyFolder.Content;
import dev.tokenbucket.api.v1alpha1.Direction;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** The traffic that a node needs to stay in its cluster, in the kernel. Needs root. */
class FailsafeTest extends BothHooksTest {
  private static final Policy ONE = Policy.packets(1, 1).withFailsafes();
  private static final FailsafeSettings SETTINGS =
      new FailsafeSettings(
          List.of("10.0.0.0/24", "fd00::/64"),
          10_250,
          List.of(new ApiServer("10.1.0.1", 6443)),
          List.of(4789));

  /** A packet, and whether it is exempt. */
  private record Row(String name, Supplier<byte[]> frame, boolean exempt) {}

  /** All packets on one hook. The counters show which packets are exempt. */
  private void assertExempt(Direction direction, List<Row> rows) {
    try (VirtualHook hook = hook(direction, SETTINGS, ONE)) {
      for (Row row : rows) {
        long exempt = hook.failsafes().exempt();
        long judged = judged(hook);
        hook.passes(row.frame().get());
        assertThat(hook.failsafes().exempt() - exempt)
            .as("%s, %s", row.name(), direction)
            .isEqualTo(row.exempt() ? 1 : 0);
        assertThat(judged(hook) - judged).as(row.name()).isEqualTo(row.exempt() ? 0 : 1);
      }
    }
  }

  private static long judged(VirtualHook hook) {
    return hook.counters(0).conformPackets() + hook.counters(0).exceedPackets();
  }

  private void assertExemptBothWays(List<Row> rows) {
    assertExempt(Direction.Ingress, rows);
    assertExempt(Direction.Egress, rows);
  }

  /** Rows of a table: the packet's fields, followed by whether it is exempt. */
  private static List<Row> rows(String table, Function<String[], byte[]> frame) {
    return table
        .lines()
        .map(line -> line.split(", ", -1))
        .map(
            cells ->
                new Row(
                    String.join(", ", cells),
                    () -> frame.apply(cells),
                    Boolean.parseBoolean(cells[cells.length - 1])))
        .toList();
  }

  private static int number(String cell) {
    return Integer.parseInt(cell);
  }

  @Test
  void dhcpIsToldByBothPorts() {
    assertExemptBothWays(
        rows(
            """
            68, 67, true
            67, 68, true
            67, 67, false
            68, 68, false
            68, 53, false
            53, 67, false
            546, 547, false\
            """,
            cells -> Frames.ports(UDP, number(cells[0]), number(cells[1]))));
  }

  @Test
  void dhcpOverIpv6IsToldByTheClientsPort() {
    assertExemptBothWays(
        rows(
            """
            546, 547, true
            547, 546, true
            4000, 546, true
            546, 546, true
            547, 547, false
            546, 53, false
            4000, 547, false
            68, 67, false\
            """,
            cells -> Frames.extended(number(cells[0]), number(cells[1]))));
  }

  @Test
  void neighbourDiscoveryGroupsAndPacketTooBigAreToldByTypeHopLimitAndSource() {
    assertExemptBothWays(
        rows(
            """
            fd00::2, 133, 255, true
            fd00::2, 135, 255, true
            fd00::2, 137, 255, true
            fd00::2, 132, 255, false
            fd00::2, 138, 255, false
            fd00::2, 128, 255, false
            fd00::2, 135, 254, false
            fd00::2, 135, 64, false
            fe80::2, 143, 1, true
            ::, 143, 1, true
            fe80::2, 130, 1, true
            febf::2, 131, 1, true
            fe80::2, 132, 1, true
            fd00::2, 143, 1, false
            fe80::2, 143, 2, false
            fe80::2, 143, 255, false
            fe80::2, 129, 1, false
            fe80::2, 142, 1, false
            fe80::2, 144, 1, false
            fd00::2, 2, 64, true
            fd00::2, 1, 64, false
            fd00::2, 3, 64, false\
            """,
            cells -> Frames.icmpv6(cells[0], number(cells[1]), number(cells[2]))));
  }

  /** Each packet also behind IP options, which IGMP uses. */
  @Test
  void groupsOfIpv4AreToldByProtocolTtlAndDestination() {
    String table =
        """
        224.0.0.22, 2, 1, true
        239.1.2.3, 2, 1, true
        224.0.0.22, 2, 2, false
        10.0.0.1, 2, 1, false
        240.0.0.1, 2, 1, false
        224.0.0.18, 112, 1, false\
        """;
    Function<String[], byte[]> frame =
        cells -> Frames.ipv4(cells[0], number(cells[1]), number(cells[2]), 0x22, 0);
    assertExemptBothWays(rows(table, frame));
    assertExemptBothWays(rows(table, frame.andThen(each -> Frames.withOptions(each, 1))));
  }

  @Test
  void fragmentationNeededIsToldByTypeAndCode() {
    String table =
        """
        1, 3, 4, true
        1, 3, 3, false
        1, 3, 0, false
        1, 8, 4, false
        1, 11, 0, false
        58, 2, 0, false\
        """;
    Function<String[], byte[]> frame =
        cells -> Frames.ipv4("10.0.0.1", number(cells[0]), 64, number(cells[1]), number(cells[2]));
    assertExemptBothWays(rows(table, frame));
    byte[] needed = Frames.ipv4("10.0.0.1", 1, 64, 3, 4);
    assertExempt(
        Direction.Ingress,
        List.of(
            new Row("a later fragment", () -> Frames.fragment(needed, 100), false),
            new Row("cut off behind its type", () -> Frames.cut(needed, 14 + 20 + 1), false)));
  }

  /** A table of the traffic with a peer that is exempt, with both ports. */
  private void assertExemptWithPeer(Direction direction, int protocol, String table) {
    assertExempt(
        direction,
        rows(
            table,
            cells -> {
              byte[] frame = Frames.ports(protocol, number(cells[1]), number(cells[2]));
              return direction == Direction.Ingress
                  ? Frames.from(cells[0], frame)
                  : Frames.to(cells[0], frame);
            }));
  }

  @Test
  void kubeletAndApiServerAreToldByPortAndPeer() {
    assertExemptWithPeer(
        Direction.Ingress,
        TCP,
        """
        10.0.0.2, 5, 10250, true
        10.0.1.2, 5, 10250, false
        10.0.0.2, 10250, 5, false
        10.1.0.1, 6443, 5, true
        10.1.0.2, 6443, 5, false
        10.1.0.1, 5, 6443, false\
        """);
    assertExemptWithPeer(
        Direction.Egress,
        TCP,
        """
        10.0.0.2, 10250, 5, true
        10.0.0.2, 5, 10250, false
        10.0.1.2, 10250, 5, false
        10.1.0.1, 5, 6443, true
        10.1.0.2, 5, 6443, false\
        """);
  }

  @Test
  void theOverlayTalksWithPeersOnly() {
    String ofUdp =
        """
        10.0.0.2, 5, 4789, true
        10.0.1.2, 5, 4789, false
        10.0.0.2, 4789, 5, false\
        """;
    assertExemptWithPeer(Direction.Ingress, UDP, ofUdp);
    assertExemptWithPeer(Direction.Egress, UDP, ofUdp);
    assertExemptWithPeer(Direction.Ingress, TCP, "10.0.0.2, 5, 4789, false");
  }

  @Test
  void laterFragmentsAreNoFailsafeTraffic() {
    byte[] later = Frames.fragment(Frames.ports(UDP, 68, 67), 100);
    assertExempt(Direction.Ingress, List.of(new Row("a later fragment", () -> later, false)));
  }

  @Test
  void aPolicyThatDisablesThemJudgesFailsafeTrafficToo() {
    try (VirtualHook hook = hook(Policy.packets(1, 1))) {
      assertThat(hook.passing(3, Frames.ports(UDP, 68, 67))).isOne();
      assertThat(hook.failsafes().exempt()).isZero();
    }
  }

  @Test
  void ofSeveralPoliciesThoseThatDisableThemJudgeFailsafeTraffic() {
    try (VirtualHook hook = hook(ONE, Policy.packets(1, 2))) {
      assertThat(hook.passing(5, Frames.ports(UDP, 68, 67))).isEqualTo(2);
      assertThat(hook.counters(0).conformPackets()).isZero();
      assertThat(hook.counters(1).exceedPackets()).isEqualTo(3);
    }
  }

  @Test
  void eachKindHasABucketOfItsOwnAndBeyondItIsJudgedAsAny() {
    Map<FailsafeTraffic, byte[]> kinds =
        Map.of(
            FailsafeTraffic.NEIGHBOUR_DISCOVERY, Frames.icmpv6(135, 255),
            FailsafeTraffic.DHCP, Frames.ports(UDP, 68, 67),
            FailsafeTraffic.MULTICAST_GROUPS, Frames.icmpv6("fe80::2", 143, 1),
            FailsafeTraffic.PATH_MTU, Frames.ipv4("10.0.0.1", 1, 64, 3, 4));
    try (VirtualHook hook = hook(ONE)) {
      assertThat(hook.passes(Frames.udp("10.0.0.2", 100))).isTrue();
      kinds.forEach(
          (kind, frame) -> {
            int burst = Math.toIntExact(kind.packetsPerSecond());
            int passed = hook.passing(burst + 5, frame);
            assertThat(passed).as(kind.text()).isBetween(burst - burst / 64, burst);
            assertThat(hook.failsafes(kind))
                .as(kind.text())
                .isEqualTo(new VirtualHook.Failsafes(passed, burst + 5 - passed));
          });
      assertThat(hook.counters(0).conformPackets()).isOne();
      assertThat(hook.counters(0).exceedPackets()).isEqualTo(hook.failsafes().exceed());
    }
  }

  @Test
  void theSampleExemptsRoutersAndRelays() throws Exception {
    Path sample = Path.of("../deploy/samples/control-protocols.yaml");
    Parsed parsed =
        new PolicyFileParser(Taker.HOST).parse(Content.of(Files.readString(sample)), Map.of());
    assertThat(parsed.refusals()).isEmpty();
    List<byte[]> exempt =
        List.of(
            Frames.ipv4("224.0.0.18", 112, 255, 0x31, 0),
            Frames.ipv4("224.0.0.5", 89, 1, 2, 1),
            Frames.ports(TCP, 179, 40_000),
            Frames.ports(TCP, 40_000, 179),
            Frames.ports(UDP, 40_000, 3784),
            Frames.ports(UDP, 67, 67));
    try (VirtualHook hook =
        new VirtualHook(
            bpffs, objects, ingress(), true, FailsafeSettings.LINK_ONLY, parsed.policies())) {
      for (byte[] frame : exempt) {
        assertThat(hook.passes(Frames.from("192.0.2.7", frame))).isTrue();
      }
      assertThat(hook.counters(0).conformPackets()).isZero();
      for (byte[] frame : exempt) {
        assertThat(hook.passes(frame)).isTrue();
      }
      assertThat(hook.counters(0).conformPackets()).isEqualTo(exempt.size());
    }
  }
}

package dev.tokenbucket.agent.program;

import static dev.tokenbucket.agent.program.Terms.TCP;
import static dev.tokenbucket.agent.program.Terms.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.match.FailsafeSettings.ApiServer;
import dev.tokenbucket.agent.slots.PolicySlots;
import dev.tokenbucket.api.v1alpha1.Direction;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a node needs to stay in its cluster, in the kernel. Needs root. */
class FailsafeTest extends KernelTest {
  private static final Policy ONE = Policy.packets(1, 1).withFailsafes();
  private static final FailsafeSettings SETTINGS =
      new FailsafeSettings(
          List.of("10.0.0.0/24", "fd00::/64"),
          10_250,
          List.of(new ApiServer("10.1.0.1", 6443)),
          List.of(4789));

  private void assertExempt(Direction direction, byte[] frame, boolean exempt) {
    try (VirtualHook hook = hook(direction, SETTINGS, ONE)) {
      assertThat(hook.passing(3, frame)).isEqualTo(exempt ? 3 : 1);
      assertThat(hook.failsafes().exempt()).isEqualTo(exempt ? 3 : 0);
      assertThat(hook.counters(0).conformPackets()).isEqualTo(exempt ? 0 : 1);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "68, 67, true",
    "67, 68, true",
    "67, 67, false",
    "68, 68, false",
    "68, 53, false",
    "53, 67, false",
    "546, 547, false"
  })
  void dhcpIsToldByBothPorts(int source, int destination, boolean exempt) {
    assertExempt(Direction.Ingress, Frames.ports(UDP, source, destination), exempt);
    assertExempt(Direction.Egress, Frames.ports(UDP, source, destination), exempt);
  }

  @ParameterizedTest
  @CsvSource({"546, 547, true", "547, 546, true", "547, 547, false", "68, 67, false"})
  void dhcpOverIpv6HasPortsOfItsOwn(int source, int destination, boolean exempt) {
    assertExempt(Direction.Ingress, Frames.extended(source, destination), exempt);
  }

  @ParameterizedTest
  @CsvSource({
    "133, 255, true",
    "135, 255, true",
    "137, 255, true",
    "132, 255, false",
    "138, 255, false",
    "128, 255, false",
    "135, 254, false",
    "135, 64, false"
  })
  void neighbourDiscoveryIsToldByTypeAndHopLimit(int type, int hopLimit, boolean exempt) {
    assertExempt(Direction.Ingress, Frames.icmpv6(type, hopLimit), exempt);
  }

  @ParameterizedTest
  @CsvSource({
    "Ingress, 10.0.0.2, 5, 10250, true",
    "Ingress, 10.0.1.2, 5, 10250, false",
    "Ingress, 10.0.0.2, 10250, 5, false",
    "Egress, 10.0.0.2, 10250, 5, true",
    "Egress, 10.0.0.2, 5, 10250, false",
    "Egress, 10.0.1.2, 10250, 5, false",
  })
  void theKubeletTalksWithPeersOnly(
      Direction direction, String peer, int source, int destination, boolean exempt) {
    assertExempt(direction, withPeer(direction, peer, TCP, source, destination), exempt);
  }

  @ParameterizedTest
  @CsvSource({
    "Ingress, 10.1.0.1, 6443, 5, true",
    "Ingress, 10.1.0.2, 6443, 5, false",
    "Ingress, 10.1.0.1, 5, 6443, false",
    "Egress, 10.1.0.1, 5, 6443, true",
    "Egress, 10.1.0.2, 5, 6443, false",
  })
  void theApiServerIsOneOfTheSettingsAddresses(
      Direction direction, String peer, int source, int destination, boolean exempt) {
    assertExempt(direction, withPeer(direction, peer, TCP, source, destination), exempt);
  }

  @ParameterizedTest
  @CsvSource({
    "Ingress, 10.0.0.2, 5, 4789, true",
    "Egress, 10.0.0.2, 5, 4789, true",
    "Ingress, 10.0.1.2, 5, 4789, false",
    "Ingress, 10.0.0.2, 4789, 5, false",
  })
  void theOverlayTalksWithPeersOnly(
      Direction direction, String peer, int source, int destination, boolean exempt) {
    assertExempt(direction, withPeer(direction, peer, UDP, source, destination), exempt);
    assertExempt(direction, withPeer(direction, peer, TCP, source, destination), false);
  }

  private static byte[] withPeer(
      Direction direction, String peer, int protocol, int source, int destination) {
    byte[] frame = Frames.ports(protocol, source, destination);
    return direction == Direction.Ingress ? Frames.from(peer, frame) : Frames.to(peer, frame);
  }

  @Test
  void laterFragmentsAreNoFailsafeTraffic() {
    assertExempt(Direction.Ingress, Frames.fragment(Frames.ports(UDP, 68, 67), 100), false);
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
  void failsafeTrafficHasABucketOfItsOwnAndBeyondItIsJudgedAsAny() {
    try (VirtualHook hook = hook(ONE)) {
      int burst = Math.toIntExact(PolicySlots.FAILSAFE_LINK_RATE);
      int passed = hook.passing(burst + 5, Frames.ports(UDP, 68, 67));
      assertThat(passed).isBetween(burst - burst / 64, burst + 1);
      assertThat(hook.failsafes())
          .isEqualTo(new VirtualHook.Failsafes(passed - 1, burst + 5 - (passed - 1)));
      assertThat(hook.counters(0).conformPackets()).isOne();
      assertThat(hook.counters(0).exceedPackets()).isEqualTo(burst + 5 - passed);
    }
  }
}

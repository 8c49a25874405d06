// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.program.Frames.Extension;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.PortRange;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The fields that the classifier reads from packets of every shape. Needs root. */
class PacketShapesTest extends BothHooksTest {
  private static final byte[] PLAIN = Frames.udp("10.0.0.2", 100);
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int ICMP = 1;
  private static final int VLAN = 0x8100;
  private static final int SERVICE_VLAN = 0x88a8;

  @ParameterizedTest
  @ValueSource(strings = {"10.0.0.2", "fd00::2"})
  void tagsInTheFrameAreStepsToTheSameIpPacket(String source) {
    byte[] plain = Frames.udp(source, 100);
    try (VirtualHook hook = hook(Policy.packets(1, 3).perSource(10))) {
      assertThat(hook.passes(plain)).isTrue();
      assertThat(hook.passes(Frames.tagged(plain, VLAN))).isTrue();
      assertThat(hook.passes(Frames.tagged(plain, SERVICE_VLAN, VLAN))).isTrue();
      assertThat(hook.passes(Frames.tagged(plain, VLAN, VLAN))).isFalse();
      assertThat(hook.counters(0).conformBytes()).isEqualTo(100 + 104 + 108);
    }
  }

  @Test
  void aTaggedFrameThatIsNotIpPassesAndIsCountedApart() {
    try (VirtualHook hook = hook(Policy.packets(1, 1))) {
      assertThat(hook.passing(3, Frames.tagged(Frames.arp(), VLAN))).isEqualTo(3);
      assertThat(hook.passing(3, Frames.tagged(Frames.arp(), tags(8)))).isEqualTo(3);
      assertThat(hook.notIp()).isEqualTo(6);
    }
  }

  private static int[] tags(int count) {
    return IntStream.range(0, count).map(i -> i % 2 == 0 ? VLAN : SERVICE_VLAN).toArray();
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 4, 5, 8})
  void asManyTagsAsTheKernelStripsHideNoIpPacket(int count) {
    try (VirtualHook hook = hook(Policy.packets(1, 1).perSource(10))) {
      assertThat(hook.passes(PLAIN)).isTrue();
      assertThat(hook.passes(Frames.tagged(PLAIN, tags(count)))).isFalse();
      assertThat(hook.notIp()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {9, 20})
  void moreTagsThanAreWalkedMatchEveryPolicyAndShareABucket(int count) {
    byte[] frame = Frames.tagged(PLAIN, tags(count));
    byte[] other = Frames.tagged(Frames.udp("fd00::3", 100), tags(count));
    Policy elsewhere = Policy.packets(1, 2).perSource(10).matching(Terms.to("192.0.2.0/24"));
    try (VirtualHook hook = hook(elsewhere.exempting(Terms.from("0.0.0.0/0", "::/0")))) {
      assertThat(hook.passes(frame)).isTrue();
      assertThat(hook.passes(other)).isTrue();
      assertThat(hook.passes(frame)).isFalse();
      assertThat(hook.notIp()).isZero();
    }
  }

  @Test
  void headersThatDoNotLieInOnePieceAreReadAllTheSame() {
    Policy policy = Policy.packets(1, 100).matching(Terms.toPorts(UDP, new PortRange(53, 53)));
    List<byte[]> matching =
        List.of(
            Frames.ports(UDP, 9, 53),
            Frames.tagged(Frames.ports(UDP, 9, 53), 0x88a8, 0x8100),
            Frames.withOptions(Frames.ports(UDP, 9, 53), 2),
            Frames.extended(9, 53),
            Frames.extended(9, 53, Extension.destinationOptions()));
    try (VirtualHook hook =
        VirtualHook.ofScatteredPackets(bpffs, objects, ingress(), policy.at(0))) {
      matching.forEach(frame -> assertThat(hook.passes(frame)).isTrue());
      assertThat(hook.counters(0).conformPackets()).isEqualTo(matching.size());
      hook.passes(Frames.ports(UDP, 9, 54));
      hook.passes(Frames.extended(9, 54));
      assertThat(hook.counters(0).conformPackets()).isEqualTo(matching.size());
      assertThat(hook.notIp()).isZero();
      hook.passes(Frames.arp());
      hook.passes(Frames.mislabelled());
      assertThat(hook.notIp()).isEqualTo(2);
    }
  }

  @Test
  void aTagThatIsCutOffMatchesEveryPolicy() {
    byte[] cut = Frames.cut(Frames.tagged(PLAIN, VLAN), 15);
    try (VirtualHook hook = hook(Policy.packets(1, 1).perFlow(10), Policy.connections(1, 9))) {
      assertThat(hook.passing(3, cut)).isOne();
      assertThat(hook.counters(1).conformPackets()).isOne();
    }
  }

  @Test
  void whatCannotBeReadPassesUnmarkedWhereNothingIsLimited() {
    byte[] frame = Frames.tagged(PLAIN, tags(9));
    try (VirtualHook hook = hook(Policy.packets(1, 1).settingDscp(10))) {
      assertThat(hook.passing(3, frame)).isEqualTo(3);
      assertThat(hook.counters(0).exceedPackets()).isEqualTo(2);
      assertThat(hook.counters(0).marked()).isZero();
    }
    try (VirtualHook hook = hook(Policy.packets(1, 1).markingEcn())) {
      assertThat(hook.passing(3, frame)).isOne();
    }
  }

  @ParameterizedTest
  @CsvSource({"10.0.0.2, 0x88b5", "10.0.0.2, 0x86dd", "fd00::2, 0x88b5", "fd00::2, 0x0800"})
  void onALinkWithoutHeaderTheVersionDecides(String source, String type) {
    byte[] frame = Frames.udp(source, 100);
    byte[] packet = Arrays.copyOfRange(frame, 14, frame.length);
    ByteBuffer.wrap(packet).putShort(12, (short) Integer.decode(type).intValue());
    try (VirtualHook hook =
        hook(Direction.Egress, false, FailsafeSettings.LINK_ONLY, Policy.packets(1, 1))) {
      assertThat(hook.passing(3, packet)).isOne();
      assertThat(hook.notIp()).isZero();
      packet[0] = 0x70;
      assertThat(hook.passing(3, packet)).isEqualTo(3);
      assertThat(hook.notIp()).isEqualTo(3);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 10})
  void portsAreFoundBehindIpv4Options(int words) {
    try (VirtualHook hook = hook(Policy.packets(1, 1).perFlow(10))) {
      assertThat(hook.passes(Frames.ports(UDP, 1, 2))).isTrue();
      assertThat(hook.passes(Frames.withOptions(Frames.ports(UDP, 1, 2), words))).isFalse();
      assertThat(hook.passes(Frames.withOptions(Frames.ports(UDP, 1, 3), words))).isTrue();
    }
  }

  @Test
  void portsAreFoundBehindIpv6ExtensionHeaders() {
    try (VirtualHook hook = hook(Policy.packets(1, 1).perFlow(10))) {
      assertThat(hook.passes(Frames.extended(1, 2))).isTrue();
      assertThat(
              hook.passes(
                  Frames.extended(
                      1,
                      2,
                      Extension.hopByHop(),
                      Extension.destinationOptions(),
                      Extension.fragment(0),
                      Extension.authentication())))
          .isFalse();
      assertThat(hook.passes(Frames.extended(1, 3, Extension.hopByHop()))).isTrue();
    }
  }

  @Test
  void moreExtensionHeadersThanAreWalkedAreStillLimited() {
    Extension[] many = new Extension[12];
    Arrays.fill(many, Extension.destinationOptions());
    try (VirtualHook hook = hook(Policy.packets(1, 1).perFlow(10))) {
      assertThat(hook.passes(Frames.extended(1, 2, many))).isTrue();
      assertThat(hook.passes(Frames.extended(3, 4, many))).isFalse();
    }
  }

  @Test
  void laterFragmentsOfAFlowShareABucketWithoutPorts() {
    try (VirtualHook hook = hook(Policy.packets(1, 1).perFlow(10))) {
      byte[] first = Frames.fragment(Frames.ports(UDP, 1, 2), 0);
      assertThat(hook.passes(first)).isTrue();
      assertThat(hook.passes(first)).isFalse();
      assertThat(hook.passes(Frames.fragment(Frames.ports(UDP, 1, 2), 100))).isTrue();
      assertThat(hook.passes(Frames.fragment(Frames.ports(UDP, 3, 4), 200))).isFalse();
      assertThat(hook.passes(Frames.extended(1, 2, Extension.fragment(9)))).isTrue();
      assertThat(hook.passes(Frames.extended(3, 4, Extension.fragment(9)))).isFalse();
    }
  }

  @Test
  void aFlowIsItsWholeTuple() {
    try (VirtualHook hook = hook(Policy.packets(1, 1).perFlow(10))) {
      assertThat(hook.passes(Frames.ports(UDP, 1, 2))).isTrue();
      assertThat(hook.passes(Frames.ports(UDP, 1, 2))).isFalse();
      assertThat(hook.passes(Frames.ports(TCP, 1, 2))).as("protocol").isTrue();
      assertThat(hook.passes(Frames.ports(UDP, 3, 2))).as("source port").isTrue();
      assertThat(hook.passes(Frames.ports(UDP, 1, 3))).as("destination port").isTrue();
      assertThat(hook.passes(Frames.to("10.0.0.9", Frames.ports(UDP, 1, 2)))).isTrue();
    }
  }

  @Test
  void aProtocolWithoutPortsHasOneFlowAPair() {
    try (VirtualHook hook = hook(Policy.packets(1, 1).perFlow(10))) {
      assertThat(hook.passes(Frames.ports(ICMP, 1, 2))).isTrue();
      assertThat(hook.passes(Frames.ports(ICMP, 3, 4))).isFalse();
    }
  }

  @Test
  void aHeaderLengthThatLiesIsLimitedByWhatIsReadable() {
    byte[] shortHeader = Frames.ports(UDP, 1, 2);
    shortHeader[14] = 0x41;
    byte[] longHeader = Frames.udp("10.0.0.2", 40);
    longHeader[14] = 0x4f;
    try (VirtualHook hook = hook(Policy.packets(1, 1).perSource(10))) {
      assertThat(hook.passes(shortHeader)).isTrue();
      assertThat(hook.passes(longHeader)).isFalse();
    }
  }

  @Test
  void destinationsHaveBucketsOfTheirOwn() {
    try (VirtualHook hook = hook(Policy.packets(1, 2).perDestination(10))) {
      assertThat(hook.passing(5, PLAIN)).isEqualTo(2);
      assertThat(hook.passing(5, Frames.udp("10.0.0.3", 100))).isZero();
      assertThat(hook.passing(5, Frames.to("10.0.0.9", PLAIN))).isEqualTo(2);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "24, 64, 10.0.0.2, 10.0.0.77, true",
    "24, 64, 10.0.0.2, 10.0.1.2, false",
    "9, 64, 10.0.0.2, 10.127.0.2, true",
    "9, 64, 10.0.0.2, 10.128.0.2, false",
    "32, 128, fd00::2, fd00::3, false",
    "32, 127, fd00::2, fd00::3, true",
    "32, 56, fd00:0:0:1::2, fd00:0:0:ff::2, true",
    "32, 56, fd00:0:0:1::2, fd00:0:0:100::2, false",
    "32, 128, 10.0.0.2, a00:2::, false",
  })
  void addressesThatAgreeInThePrefixShareABucket(
      int ipv4, int ipv6, String one, String other, boolean shared) {
    try (VirtualHook hook = hook(Policy.packets(1, 3).perSource(10).prefixes(ipv4, ipv6))) {
      assertThat(hook.passing(5, Frames.udp(one, 100))).isEqualTo(3);
      assertThat(hook.passing(5, Frames.udp(other, 100))).isEqualTo(shared ? 0 : 3);
    }
  }
}

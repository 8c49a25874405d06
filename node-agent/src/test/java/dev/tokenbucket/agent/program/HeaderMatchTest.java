// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static dev.tokenbucket.agent.program.Terms.ICMP;
import static dev.tokenbucket.agent.program.Terms.ICMPV6;
import static dev.tokenbucket.agent.program.Terms.TCP;
import static dev.tokenbucket.agent.program.Terms.UDP;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tokenbucket.agent.kernel.HookPoint;
import dev.tokenbucket.agent.kernel.ProgramTestRun.Merged;
import dev.tokenbucket.agent.program.Frames.Extension;
import dev.tokenbucket.api.v1alpha1.Fragment;
import dev.tokenbucket.api.v1alpha1.LengthRange;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.TcpFlag;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Terms on the headers of floods (flags, ICMP types, DSCP, length, fragments) and terms that leave
 * networks out, in the kernel. Needs root.
 */
class HeaderMatchTest extends BothHooksTest {
  private static final int ECHO = 8;
  private static final int ECHO6 = 128;
  private static final Policy ALL = Policy.packets(1, 1_000_000);

  private static boolean judged(VirtualHook hook, byte[] frame) {
    return judged(hook, frame, Merged.NONE);
  }

  private static boolean judged(VirtualHook hook, byte[] frame, Merged merged) {
    long before = hook.counters(0).conformPackets();
    assertThat(hook.passes(frame, merged)).isTrue();
    return hook.counters(0).conformPackets() > before;
  }

  private VirtualHook matching(NodeMatchTerm term) {
    return hook(ALL.matching(term));
  }

  private VirtualHook exempting(NodeMatchTerm term) {
    return hook(ALL.exempting(term));
  }

  private static byte[] icmp(int type, int code) {
    return Frames.ipv4("10.0.0.1", ICMP, 64, type, code);
  }

  @Test
  void flagsThatAreSetAndFlagsThatAreNot() {
    NodeMatchTerm term =
        Terms.tcpFlags(List.of(TcpFlag.SYN, TcpFlag.FIN), List.of(TcpFlag.ACK, TcpFlag.CWR));
    try (VirtualHook hook = matching(term)) {
      assertThat(judged(hook, Frames.tcp(5, 80, 0x03))).isTrue();
      assertThat(judged(hook, Frames.tcp(5, 80, 0x2f))).as("with others").isTrue();
      assertThat(judged(hook, Frames.tcp(5, 80, 0x02))).as("without FIN").isFalse();
      assertThat(judged(hook, Frames.tcp(5, 80, 0x13))).as("with ACK").isFalse();
      assertThat(judged(hook, Frames.tcp(5, 80, 0x83))).as("with CWR").isFalse();
      byte[] udp = Frames.tcp(5, 80, 0x03);
      udp[14 + 9] = UDP;
      assertThat(judged(hook, udp)).isFalse();
      assertThat(judged(hook, Frames.cut(Frames.tcp(5, 80, 0), 14 + 20 + 13)))
          .as("flags cut off")
          .isTrue();
      assertThat(judged(hook, Frames.fragment(Frames.tcp(5, 80, 3), 1))).as("overlap").isTrue();
      assertThat(judged(hook, Frames.fragment(Frames.tcp(5, 80, 3), 2))).as("later").isFalse();
      assertThat(judged(hook, Frames.extended(5, 80, Extension.fragment(1)))).isTrue();
      assertThat(judged(hook, Frames.extended(5, 80, Extension.fragment(2)))).isFalse();
    }
    try (VirtualHook hook = matching(Terms.tcpFlags(List.of(), List.of(TcpFlag.values())))) {
      assertThat(judged(hook, Frames.tcp(5, 80, 0))).as("a null scan").isTrue();
      assertThat(judged(hook, Frames.tcp(5, 80, 1))).isFalse();
    }
    try (VirtualHook hook = exempting(Terms.tcpFlags(List.of(TcpFlag.ACK), List.of()))) {
      assertThat(judged(hook, Frames.tcp(5, 80, 0x10))).isFalse();
      assertThat(judged(hook, Frames.tcp(5, 80, 0x02))).isTrue();
      assertThat(judged(hook, Frames.cut(Frames.tcp(5, 80, 0), 14 + 20 + 13))).isTrue();
      assertThat(judged(hook, Frames.fragment(Frames.tcp(5, 80, 0x10), 100))).isTrue();
    }
  }

  @Test
  void typeAndCodeOfEachIcmp() {
    try (VirtualHook hook = matching(Terms.icmp(ICMP, ECHO, null))) {
      assertThat(judged(hook, icmp(ECHO, 0))).isTrue();
      assertThat(judged(hook, icmp(ECHO, 255))).isTrue();
      assertThat(judged(hook, icmp(0, 0))).isFalse();
      assertThat(judged(hook, Frames.ipv4("10.0.0.1", UDP, 64, ECHO, 0))).isFalse();
      assertThat(judged(hook, Frames.icmpv6(ECHO, 64))).isFalse();
      assertThat(judged(hook, Frames.cut(icmp(0, 0), 14 + 20 + 1))).as("cut off").isTrue();
    }
    try (VirtualHook hook = matching(Terms.icmp(ICMP, 3, 4))) {
      assertThat(judged(hook, icmp(3, 4))).isTrue();
      assertThat(judged(hook, icmp(3, 3))).isFalse();
      assertThat(judged(hook, icmp(4, 3))).isFalse();
    }
    try (VirtualHook hook = matching(Terms.icmp(ICMPV6, ECHO6, 0))) {
      assertThat(judged(hook, Frames.icmpv6(ECHO6, 64))).isTrue();
      assertThat(judged(hook, Frames.icmpv6(ECHO6 + 1, 64))).isFalse();
    }
  }

  @Test
  void laterFragmentsOfIcmpAreJudgedAsTheirFirstOne() {
    assumeTrue(ingress() != HookPoint.XDP, "XDP does not remember first fragments");
    byte[] last = Frames.fragment(icmp(0x41, 0x42), 7, 100, false);
    try (VirtualHook hook = matching(Terms.icmp(ICMP, ECHO, null))) {
      assertThat(judged(hook, last)).as("of one that is not known").isTrue();
      assertThat(judged(hook, Frames.fragment(icmp(0, 0), 7, 0, true))).isFalse();
      assertThat(judged(hook, last)).isFalse();
      assertThat(judged(hook, Frames.fragment(icmp(ECHO, 0), 7, 0, true))).isTrue();
      assertThat(judged(hook, last)).as("two that contradict each other").isTrue();
      byte[] udp = Frames.extended(4000, 53, Extension.fragment(9, 0, true));
      assertThat(judged(hook, udp)).isFalse();
    }
    try (VirtualHook hook = matching(Terms.icmp(ICMPV6, ECHO6, null))) {
      byte[] later = Frames.extended(1, 2, Extension.fragment(9, 100, false));
      assertThat(judged(hook, later)).as("of one that is not known").isTrue();
      assertThat(judged(hook, Frames.extended(4000, 53, Extension.fragment(9, 0, true)))).isFalse();
      assertThat(judged(hook, later)).as("of UDP").isFalse();
    }
    try (VirtualHook hook = exempting(Terms.icmp(ICMP, ECHO, null))) {
      assertThat(judged(hook, last)).isTrue();
      assertThat(judged(hook, Frames.fragment(icmp(ECHO, 0), 7, 0, true))).isFalse();
      assertThat(judged(hook, last)).isFalse();
    }
  }

  @Test
  void theDscpIsThatOfTheHeader() {
    try (VirtualHook hook = matching(Terms.dscps(46, 0))) {
      for (String source : List.of("10.0.0.2", "fd00::2")) {
        byte[] frame = Frames.udp(source, 100);
        assertThat(judged(hook, Frames.withClass(frame, 46 << 2 | 3))).isTrue();
        assertThat(judged(hook, Frames.withClass(frame, 3))).isTrue();
        assertThat(judged(hook, Frames.withClass(frame, 45 << 2))).isFalse();
        assertThat(judged(hook, Frames.withClass(frame, 63 << 2))).isFalse();
      }
    }
  }

  /** By the header: padding, which a device adds, is not the packet's. */
  @Test
  void theLengthIsThatOfTheIpPacket() {
    try (VirtualHook hook = matching(Terms.lengths(new LengthRange(50, 100)))) {
      for (String source : List.of("10.0.0.2", "fd00::2")) {
        for (int length : new int[] {60, 100, 101, 49 + 14}) {
          byte[] frame = Frames.udp(source, Math.max(54, length + 14));
          assertThat(judged(hook, frame)).isEqualTo(length >= 50 && length <= 100);
        }
      }
      byte[] padded = new byte[200];
      byte[] ip = Frames.udp("10.0.0.2", 14 + 100);
      System.arraycopy(ip, 0, padded, 0, ip.length);
      assertThat(judged(hook, padded)).isTrue();
    }
  }

  /** Of IPv6 before options a length of 0 says nothing, and the host takes what there is. */
  @Test
  void ofUntoldLengthIsWhatIsThere() {
    byte[] frame = Frames.extended(1, 2, Extension.hopByHop());
    ByteBuffer.wrap(frame).putShort(14 + 4, (short) 0);
    try (VirtualHook hook = matching(Terms.lengths(new LengthRange(41, 1500)))) {
      assertThat(judged(hook, frame)).isTrue();
    }
  }

  @Test
  void aMergedPacketHasTheLengthOfItsSegments() {
    byte[] tcp = Frames.udp("10.0.0.2", 14 + 40 + 3000);
    tcp[14 + 9] = TCP;
    tcp[14 + 20 + 12] = 0x50;
    byte[] jumbo = Frames.extended(1, 2, Extension.jumbo(3000));
    ByteBuffer.wrap(jumbo).putShort(14 + 4, (short) 0);
    try (VirtualHook hook = matching(Terms.lengths(new LengthRange(1040, 1040)))) {
      assertThat(judged(hook, tcp, new Merged(3, 1000, 0))).isTrue();
      assertThat(judged(hook, tcp, new Merged(3, 1001, 0))).isFalse();
    }
    byte[] udp = Frames.udp("fd00::2", 14 + 48 + 3000);
    try (VirtualHook hook = matching(Terms.lengths(new LengthRange(1048, 1048)))) {
      assertThat(judged(hook, udp, new Merged(3, 1000, 0))).isTrue();
      assertThat(judged(hook, udp, new Merged(3, 999, 0))).isFalse();
    }
  }

  @Test
  void wholeDatagramsFirstFragmentsAndLaterOnes() {
    byte[] frame = Frames.ports(UDP, 1, 2);
    List<byte[]> whole = List.of(frame, Frames.extended(1, 2));
    List<byte[]> first =
        List.of(
            Frames.fragment(frame, 7, 0, true),
            Frames.extended(1, 2, Extension.hopByHop(), Extension.fragment(7, 0, true)));
    List<byte[]> later =
        List.of(
            Frames.fragment(frame, 7, 100, true),
            Frames.fragment(frame, 7, 1, false),
            Frames.extended(1, 2, Extension.fragment(7, 100, false)));
    byte[] unknown = Frames.cut(Frames.extended(1, 2, Extension.hopByHop()), 14 + 40 + 2);
    for (Fragment asked : Fragment.values()) {
      try (VirtualHook hook = matching(Terms.fragment(null, asked))) {
        assertJudged(hook, asked == Fragment.None, whole);
        assertJudged(hook, asked == Fragment.First || asked == Fragment.Any, first);
        assertJudged(hook, asked == Fragment.Later || asked == Fragment.Any, later);
        assertJudged(hook, true, List.of(unknown));
      }
    }
    try (VirtualHook hook = exempting(Terms.fragment(UDP, Fragment.None))) {
      assertJudged(hook, false, whole);
      assertJudged(hook, true, first);
      assertJudged(hook, true, later);
      assertJudged(hook, true, List.of(unknown));
    }
  }

  private static void assertJudged(VirtualHook hook, boolean expected, List<byte[]> frames) {
    for (byte[] frame : frames) {
      assertThat(judged(hook, frame)).isEqualTo(expected);
    }
  }

  @Test
  void networksThatAreLeftOut() {
    try (VirtualHook hook = matching(Terms.notFrom(List.of(), "10.0.0.0/8", "fd00::/127"))) {
      assertThat(judged(hook, Frames.udp("10.0.0.2", 100))).isFalse();
      assertThat(judged(hook, Frames.udp("11.0.0.2", 100))).isTrue();
      assertThat(judged(hook, Frames.udp("fd00::1", 100))).isFalse();
      assertThat(judged(hook, Frames.udp("fd00::2", 100))).isTrue();
    }
    try (VirtualHook hook = matching(Terms.notFrom(List.of("10.0.0.0/8"), "10.1.0.0/24"))) {
      assertThat(judged(hook, Frames.udp("10.1.1.1", 100))).isTrue();
      assertThat(judged(hook, Frames.udp("10.1.0.1", 100))).isFalse();
      assertThat(judged(hook, Frames.udp("11.1.1.1", 100))).isFalse();
      assertThat(judged(hook, Frames.udp("fd00::2", 100))).isFalse();
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Actions on packets that exceed, in the kernel. Needs root. */
class ActionTest extends BothHooksTest {
  private static final int ECT_0 = 2;
  private static final int CE = 3;

  @Test
  void aHookWithEveryKeyEveryActionAndEveryTermLoads() {
    try (VirtualHook hook =
        hook(
            Policy.packets(1, 1).markingEcn().withFailsafes(),
            Policy.bytes(8_000, 2_000).perSource(8).markingEcn().matching(Terms.everyField()),
            Policy.packets(1, 1).perFlow(8).markingEcn().audited(),
            Policy.packets(1, 1).perFlow(64).evicting().markingEcn(),
            Policy.packets(1, 1).perDestination(64).evicting().settingDscp(46),
            Policy.connections(1, 1).exempting(Terms.newConnections()))) {
      assertThat(hook.passes(packet(false, ECT_0))).isTrue();
      assertThat(hook.counters(2).conformPackets()).isOne();
    }
  }

  private static byte[] packet(boolean ipv6, int trafficClass) {
    return Frames.withClass(Frames.udp(ipv6 ? "fd00::2" : "10.0.0.2", 100), trafficClass);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void markEcnMarksWhatIsEcnCapableAndDropsTheRest(boolean ipv6) {
    try (VirtualHook hook = hook(Policy.packets(1, 2).markingEcn())) {
      byte[] capable = packet(ipv6, 0xb8 | ECT_0);
      assertThat(hook.rewritten(capable)).as("conforms").isEqualTo(capable);
      hook.passes(capable);
      byte[] marked = hook.rewritten(capable);
      assertThat(Frames.trafficClass(marked)).isEqualTo(0xb8 | CE);
      Frames.assertChecksum(marked);
      assertThat(hook.passes(packet(ipv6, 0xb8))).as("not ECN-capable").isFalse();
      assertThat(hook.counters(0).marked()).isOne();
      assertThat(hook.counters(0).exceedPackets()).isEqualTo(2);
    }
  }

  @Test
  void markedPacketsHaveAWindowOfTheSameRateAndBurstAndNoMore() {
    try (VirtualHook hook = hook(Policy.packets(1000, 10).markingEcn())) {
      byte[] capable = packet(false, ECT_0);
      assertThat(hook.passing(50, capable)).isEqualTo(10 + 10);
      hook.pass(5_001_000);
      assertThat(hook.passing(50, capable)).isEqualTo(5 + 5);
      assertThat(hook.counters(0).marked()).isEqualTo(15);
    }
  }

  @Test
  void markedPacketsOfASourceHaveAWindowOfTheirOwnSource() {
    try (VirtualHook hook = hook(Policy.packets(1, 3).perSource(10).markingEcn())) {
      assertThat(hook.passing(20, packet(false, ECT_0))).isEqualTo(6);
      assertThat(hook.passing(20, Frames.from("10.0.0.9", packet(false, ECT_0)))).isEqualTo(6);
    }
  }

  @Test
  void whatIsMarkedAlreadyIsEcnCapableAndStaysAsItIs() {
    try (VirtualHook hook = hook(Policy.packets(1, 1).markingEcn())) {
      byte[] marked = packet(false, CE);
      hook.passes(marked);
      assertThat(hook.rewritten(marked)).isEqualTo(marked);
    }
  }

  @ParameterizedTest
  @CsvSource({"false, 0", "false, 10", "false, 46", "true, 0", "true, 46", "true, 63"})
  void setDscpMarksWhatExceedsAndLimitsNothing(boolean ipv6, int dscp) {
    try (VirtualHook hook = hook(Policy.packets(1, 1).settingDscp(dscp))) {
      byte[] sent = packet(ipv6, 8 << 2 | ECT_0);
      assertThat(hook.rewritten(sent)).as("conforms").isEqualTo(sent);
      for (int i = 0; i < 3; i++) {
        byte[] marked = hook.rewritten(sent);
        assertThat(Frames.trafficClass(marked)).isEqualTo(dscp << 2 | ECT_0);
        Frames.assertChecksum(marked);
      }
      assertThat(hook.counters(0).exceedPackets()).isEqualTo(3);
      assertThat(hook.counters(0).marked()).isEqualTo(3);
    }
  }

  @Test
  void auditTouchesNoPacketAndCountsWhatItWouldHaveDone() {
    try (VirtualHook hook =
        hook(
            Policy.packets(1, 1).markingEcn().audited(),
            Policy.packets(1, 1).settingDscp(46).audited())) {
      byte[] capable = packet(false, ECT_0);
      for (int i = 0; i < 4; i++) {
        assertThat(hook.rewritten(capable)).isEqualTo(capable);
      }
      assertThat(hook.counters(0).exceedPackets()).isEqualTo(3);
      assertThat(hook.counters(0).marked()).isOne();
      assertThat(hook.counters(1).exceedPackets()).isEqualTo(3);
      assertThat(hook.counters(1).marked()).isEqualTo(3);
    }
  }

  @Test
  void laterPoliciesSeeThePacketAsEarlierOnesLeftIt() {
    try (VirtualHook hook =
        hook(Policy.packets(1, 1).markingEcn(), Policy.packets(1, 1).settingDscp(46))) {
      byte[] capable = packet(false, 8 << 2 | ECT_0);
      hook.passes(capable);
      assertThat(Frames.trafficClass(hook.rewritten(capable))).isEqualTo(46 << 2 | CE);
      assertThat(hook.passes(capable)).as("beyond the window of marked ones").isFalse();
      assertThat(hook.counters(1).exceedPackets()).isOne();
    }
  }

  @Test
  void aTaggedFrameIsMarkedBehindItsTags() {
    try (VirtualHook hook = hook(Policy.packets(1, 1).settingDscp(46))) {
      byte[] tagged = Frames.tagged(packet(false, 0), 0x88a8, 0x8100);
      hook.passes(tagged);
      byte[] marked = hook.rewritten(tagged);
      assertThat(ByteBuffer.wrap(marked).get(14 + 8 + 1)).isEqualTo((byte) (46 << 2));
    }
  }
}

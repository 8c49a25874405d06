// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.kernel.ProgramTestRun.Merged;
import dev.tokenbucket.agent.program.Frames.Extension;
import dev.tokenbucket.api.v1alpha1.Direction;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The classifier in the kernel, packet by packet, under a virtual clock. Needs root. */
class ClassifierTest extends BothHooksTest {
  private static final byte[] FRAME = Frames.udp("10.0.0.2", 100);
  private static final long SECOND = 1_000_000_000L;

  /** A packet's worth of time at 1,000 packets per second, and what rounding may take. */
  private static final long ONE_TOKEN = SECOND / 1000 + 1000;

  @Test
  void theFirstPacketsFindAFullBucketAndTheNextExceeds() {
    try (VirtualHook hook = hook(Policy.packets(1000, 10))) {
      assertThat(hook.passing(11, FRAME)).isEqualTo(10);
    }
  }

  @Test
  void aPacketInsideTheWindowConformsAndMovesItByItsCost() {
    try (VirtualHook hook = hook(Policy.packets(1000, 10))) {
      hook.passing(10, FRAME);
      for (int i = 0; i < 100; i++) {
        hook.pass(ONE_TOKEN);
        assertThat(hook.passing(2, FRAME)).as("after %d tokens", i).isEqualTo(1);
      }
    }
  }

  @Test
  void aPacketLeftOfTheWindowExceedsAndLeavesItWhereItIs() {
    try (VirtualHook hook = hook(Policy.packets(1000, 10))) {
      hook.passing(10, FRAME);
      assertThat(hook.passing(1000, FRAME)).isZero();
      hook.pass(ONE_TOKEN);
      assertThat(hook.passes(FRAME)).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {SECOND, 3600 * SECOND, 10L * 365 * 86_400 * SECOND})
  void aWindowLeftBehindIsPlacedAnewAndHoldsOneBurstOnly(long idle) {
    try (VirtualHook hook = hook(Policy.packets(1000, 10))) {
      hook.passing(10, FRAME);
      hook.pass(idle);
      assertThat(hook.passing(20, FRAME)).isEqualTo(10);
    }
  }

  @Test
  void whatOnePolicyDropsTheNextDoesNotSee() {
    try (VirtualHook hook = hook(Policy.packets(1, 3), Policy.packets(1, 5))) {
      assertThat(hook.passing(10, FRAME)).isEqualTo(3);
      assertThat(hook.counters(0).conformPackets()).isEqualTo(3);
      assertThat(hook.counters(0).exceedPackets()).isEqualTo(7);
      assertThat(hook.counters(1).conformPackets()).isEqualTo(3);
      assertThat(hook.counters(1).exceedPackets()).isZero();
    }
  }

  @Test
  void aLaterPolicyDropsWhatTheFirstLetPass() {
    try (VirtualHook hook = hook(Policy.packets(1, 5), Policy.packets(1, 3))) {
      assertThat(hook.passing(10, FRAME)).isEqualTo(3);
      assertThat(hook.counters(0).conformPackets()).isEqualTo(5);
      assertThat(hook.counters(1).exceedPackets()).isEqualTo(2);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.2, 10.0.0.3, false",
    "10.0.0.2, 10.0.0.2, true",
    "fd00::2, fd00::3, true",
    "fd00:0:0:1::2, fd00:0:0:2::2, false",
    "10.0.0.2, ::10.0.0.2, false",
  })
  void sourcesShareABucketWithinOneIpv4AddressOrOneIpv6Prefix(
      String one, String other, boolean shared) {
    try (VirtualHook hook = hook(Policy.packets(1, 10).perSource(100))) {
      assertThat(hook.passing(20, Frames.udp(one, 100))).isEqualTo(10);
      assertThat(hook.passing(20, Frames.udp(other, 100))).isEqualTo(shared ? 0 : 10);
    }
  }

  @Test
  void ipv6PacketsAreLimitedAsIpv4OnesAre() {
    try (VirtualHook hook = hook(Policy.packets(1, 10))) {
      assertThat(hook.passing(7, FRAME)).isEqualTo(7);
      assertThat(hook.passing(7, Frames.udp("fd00::2", 100))).isEqualTo(3);
    }
  }

  @Test
  void whatIsNotIpPassesAndIsCountedApart() {
    try (VirtualHook hook = hook(Policy.packets(1, 1))) {
      hook.passes(FRAME);
      assertThat(hook.passing(5, Frames.arp())).isEqualTo(5);
      assertThat(hook.passes(Frames.mislabelled())).isTrue();
      assertThat(hook.notIp()).isEqualTo(6);
      assertThat(hook.counters(0).exceedPackets()).isZero();
    }
  }

  @Test
  void bytesAreThoseOfTheFrame() {
    try (VirtualHook hook = hook(Policy.bytes(8, 1514))) {
      assertThat(hook.passes(Frames.udp("10.0.0.2", 1000))).isTrue();
      assertThat(hook.passes(Frames.udp("10.0.0.2", 515))).isFalse();
      assertThat(hook.passes(Frames.udp("10.0.0.2", 514))).isTrue();
      assertThat(hook.counters(0).conformBytes()).isEqualTo(1514);
      assertThat(hook.counters(0).exceedBytes()).isEqualTo(515);
    }
  }

  @Test
  void anAuditedPolicyCountsWhatItWouldHaveDropped() {
    try (VirtualHook hook = hook(Policy.packets(1, 10).audited())) {
      assertThat(hook.passing(15, FRAME)).isEqualTo(15);
      assertThat(hook.counters(0).exceedPackets()).isEqualTo(5);
    }
  }

  @Test
  void sourcesThatFindNoPlaceShareOneFurtherBucket() {
    try (VirtualHook hook = hook(Policy.packets(1, 10).perSource(1))) {
      assertThat(hook.passing(20, FRAME)).isEqualTo(10);
      assertThat(hook.passing(6, Frames.udp("10.0.0.3", 100))).isEqualTo(6);
      assertThat(hook.passing(6, Frames.udp("10.0.0.4", 100))).isEqualTo(4);
      assertThat(hook.counters(0).overflow()).isEqualTo(12);
    }
  }

  @ParameterizedTest
  @CsvSource({"Ingress", "Egress"})
  void aMergedPacketCountsAsItsSegmentsAndAllTheirBytes(Direction direction) {
    // 10 segments of 100 bytes behind 42 bytes of headers: on ingress len holds the headers once,
    // on egress wire_len holds them all
    byte[] merged = Frames.udp("10.0.0.2", 42 + 10 * 100);
    Merged segments = new Merged(10, 100, direction == Direction.Egress ? 10 * 142 : 0);
    try (VirtualHook hook = hook(direction, Policy.packets(1, 20))) {
      assertThat(hook.passes(merged, segments)).isTrue();
      assertThat(hook.counters(0).conformPackets()).isEqualTo(10);
      assertThat(hook.counters(0).conformBytes()).isEqualTo(10 * 142);
      assertThat(hook.passing(20, FRAME)).isEqualTo(10);
    }
  }

  /** BIG TCP, as far as a test can send one: segments on the wire never have the jumbo header. */
  @ParameterizedTest
  @CsvSource({"Ingress", "Egress"})
  void theJumboHeaderOfAMergedPacketIsNotCounted(Direction direction) {
    byte[] headers = Frames.extended(1, 2, Extension.jumbo(70_000));
    byte[] merged = Arrays.copyOf(headers, headers.length + 10 * 100);
    try (VirtualHook hook = hook(direction, Policy.packets(1, 20))) {
      // The packet consists of its header alone, and counts like any other.
      assertThat(hook.passes(merged, new Merged(10, 100, 0))).isTrue();
      assertThat(hook.counters(0).conformBytes()).isEqualTo(10L * (headers.length + 100));
      ByteBuffer.wrap(merged).putShort(14 + 4, (short) 0);
      assertThat(hook.passes(merged, new Merged(10, 100, 0))).isTrue();
      assertThat(hook.counters(0).conformBytes())
          .isEqualTo(10L * (headers.length + 100) + 10L * (headers.length - 8 + 100));
    }
  }

  /** The device pads a frame to 60 bytes behind this hook: documented, and so of one kind. */
  @Test
  void aShortFrameCountsAsItLiesBeforeTheHook() {
    try (VirtualHook hook = hook(Direction.Egress, Policy.packets(1, 20))) {
      hook.passes(Frames.cut(FRAME, 58));
      assertThat(hook.counters(0).conformBytes()).isEqualTo(58);
    }
  }

  @Test
  void aMergedPacketLargerThanTheBurstPassesAFullBucketAndLeavesDebt() {
    byte[] merged = Frames.udp("10.0.0.2", 42 + 10 * 100);
    try (VirtualHook hook = hook(Policy.packets(1000, 1))) {
      assertThat(hook.passes(merged, new Merged(10, 100, 0))).isTrue();
      hook.pass(9 * ONE_TOKEN);
      assertThat(hook.passes(FRAME)).isFalse();
      hook.pass(ONE_TOKEN);
      assertThat(hook.passes(FRAME)).isTrue();
    }
  }

  /** Random gaps from a nanosecond to ten times the time that fills the bucket. */
  @ParameterizedTest
  @CsvSource({"1, 1", "1000, 1", "1000, 10", "1000, 128", "50000, 5000", "1000000, 100000"})
  void noIntervalLetsMoreThroughThanTheBoundNorLessThanPromised(long rate, long burst) {
    Random random = new Random(rate * 31 + burst);
    List<Long> times = new ArrayList<>();
    double level = (double) burst;
    try (VirtualHook hook = hook(Policy.packets(rate, burst))) {
      long time = 0;
      for (int i = 0; i < 20_000; i++) {
        long gap = (long) Math.exp(random.nextDouble() * Math.log(2.0 * SECOND / rate));
        time += gap;
        hook.pass(gap);
        level = Math.min((double) burst, level + gap * 1e-9 * rate);
        boolean passed = hook.passes(FRAME);
        if (passed) {
          times.add(time);
          level -= 1;
          assertThat(level).as("packet %d", i).isGreaterThan(-1e-3);
        } else {
          assertThat(level).as("packet %d", i).isLessThan(1 + burst / 64.0 + 1e-3);
        }
      }
    }
    assertThat(times).hasSizeGreaterThan((int) Math.min(burst, 100) - 1);
  }
}

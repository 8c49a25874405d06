// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.kernel.ProgramTestRun.Merged;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Excess that is remembered for a tick, also if the tick comes late. Needs root. */
class RememberedExcessTest extends KernelTest {
  private static final byte[] FRAME = Frames.udp("10.0.0.2", 100);
  private static final long SECOND = 1_000_000_000L;
  private static final int BURST = 6400;
  private static final int PART = BURST / 64;

  /**
   * With a bucket per key, a part of the burst is remembered; with a bucket that CPUs share, half
   * of it by all CPUs.
   */
  private static Policy policy(long rate, boolean perSource) {
    Policy policy = Policy.packets(rate, BURST);
    return perSource ? policy.perSource(10) : policy;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whereATickComesLateAPartOfTheBurstIsTurnedAwayAndNoMore(boolean perSource) {
    try (VirtualHook hook = hook(policy(10, perSource))) {
      drain(hook);
      hook.stopTick();
      hook.passes(FRAME);
      hook.pass(100 * SECOND + SECOND / 1000);
      int turnedAway = 0;
      while (!hook.passes(FRAME)) {
        turnedAway++;
      }
      assertThat(turnedAway).isBetween(1, PART);
      assertThat(hook.passing(1000, FRAME)).as("none was lost").isBetween(999, 1000);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theNextTickEndsTheMemory(boolean perSource) {
    try (VirtualHook hook = hook(policy(10, perSource))) {
      drain(hook);
      hook.pass(SECOND / 10 + 1000);
      assertThat(hook.passing(2, FRAME)).isOne();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void underLastingDemandTheRateIsHeldThoughNoTickEverComes(boolean perSource) {
    long rate = 1000;
    try (VirtualHook hook = hook(policy(rate, perSource))) {
      drain(hook);
      hook.stopTick();
      int seconds = 20;
      int packets = (int) (seconds * rate * 3 / 2);
      int passed = 0;
      for (int i = 0; i < packets; i++) {
        hook.pass(SECOND * 2 / 3 / rate);
        passed += hook.passes(FRAME) ? 1 : 0;
      }
      long granted = packets * (SECOND * 2 / 3 / rate) * rate / SECOND;
      assertThat((long) passed).isBetween(granted - PART - 1, granted + 1);
    }
  }

  @Test
  void nothingIsRememberedWhereATickGrantsMoreThanAPartOfTheBurst() {
    try (VirtualHook hook = hook(policy(10_001, true))) {
      drain(hook);
      hook.stopTick();
      hook.passes(FRAME);
      hook.pass(SECOND / 10_000);
      assertThat(hook.passes(FRAME)).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aPacketOfManySegmentsThatExceedsDoesNotStandForSmallerOnes(boolean perSource) {
    int segments = 1000;
    Merged merged = new Merged(segments, 1, 0);
    byte[] superPacket = Frames.udp("10.0.0.2", 42 + segments);
    try (VirtualHook hook = hook(policy(10, perSource))) {
      for (int i = 0; i < BURST / segments; i++) {
        assertThat(hook.passes(superPacket, merged)).isTrue();
      }
      assertThat(hook.passes(superPacket, merged)).isFalse();
      int held = BURST % segments;
      assertThat(hook.passing(held, FRAME)).isBetween(held - PART, held);
      assertThat(hook.passes(FRAME)).isFalse();
    }
  }

  private static void drain(VirtualHook hook) {
    assertThat(hook.passing(BURST + 10, FRAME)).isLessThanOrEqualTo(BURST);
    assertThat(hook.passes(FRAME)).isFalse();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tokenbucket.agent.kernel.ProgramTestRun.Merged;
import dev.tokenbucket.agent.kernel.Runner;
import dev.tokenbucket.agent.slots.AxisLine;
import dev.tokenbucket.api.v1alpha1.RatePeriod;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Issue 5, "Exactness": the loaded classifier's bounds under the virtual clock. Needs root. */
class ExactnessTest extends BothHooksTest {
  private static final byte[] FRAME = Frames.udp("10.0.0.2", 1000);
  private static final long SECOND = 1_000_000_000L;
  private static final long DAY = 86_400 * SECOND;
  private static final long YEAR = 365 * DAY;
  private static final int SYN = 2;

  /** Tokens of a step of lasting demand, in packets; the bucket holds twice as many. */
  private static final long STEP = 50;

  private static final int STEPS = 2000;

  @ParameterizedTest
  @ValueSource(longs = {1, 100, 9_973, 1_000_000, 7_777_777, 100_000_000})
  void rateErrorOfPacketsIsAtMostOneInTenThousand(long rate) {
    try (VirtualHook hook = hook(Policy.packets(rate, 2 * STEP))) {
      assertRate(hook, (double) rate);
    }
  }

  @ParameterizedTest
  @ValueSource(
      longs = {
        10_000,
        64_000,
        1_000_000,
        10_000_000,
        123_456_789,
        1_000_000_000,
        10_000_000_000L,
        100_000_000_000L
      })
  void rateErrorOfBitsIsAtMostOneInTenThousand(long rate) {
    try (VirtualHook hook = hook(Policy.bytes(rate, 2 * STEP * FRAME.length))) {
      assertRate(hook, (double) rate / 8 / FRAME.length);
    }
  }

  @ParameterizedTest
  @CsvSource({"6, Minute, 6", "1, Minute, 1", "1, Hour, 1", "7, Hour, 3"})
  void aRateBelowOnePerSecondLetsItsBurstThroughAndThenItsRate(
      long rate, RatePeriod period, int burst) {
    Policy[] policies = {
      Policy.connections(rate, period, burst).perSource(64), Policy.connections(rate, period, burst)
    };
    for (Policy policy : policies) {
      try (VirtualHook hook = hook(policy)) {
        byte[] syn = Frames.tcp(5, 80, SYN);
        assertThat(hook.passing(burst + 5, syn)).isEqualTo(burst);
        long gap = period.seconds() * SECOND / rate;
        hook.pass(gap - gap / 10_000);
        assertThat(hook.passing(5, syn)).as("just before the first token").isZero();
        hook.pass(2 * (gap / 10_000));
        for (int token = 1; token <= 20; token++) {
          assertThat(hook.passing(5, syn)).as("token %d", token).isEqualTo(1);
          hook.pass(gap);
        }
        hook.pass(1000 * gap);
        assertThat(hook.passing(burst + 5, syn)).as("after a pause").isEqualTo(burst);
      }
    }
  }

  private static void assertRate(VirtualHook hook, double packetsPerSecond) {
    long step = Math.round(STEP * SECOND / packetsPerSecond);
    long passed = lastingDemand(hook, step);
    double granted = packetsPerSecond * step * STEPS / SECOND;
    assertThat(passed / granted).isCloseTo(1, within(1e-4));
  }

  /** The packets that pass between two moments at which the bucket is empty, step by step. */
  private static long lastingDemand(VirtualHook hook, long step) {
    Runner packets = hook.runner();
    packets.load(FRAME, FRAME.length);
    long now = VirtualHook.START;
    drain(packets, now);
    long passed = 0;
    for (int i = 0; i < STEPS; i++) {
      now += step;
      passed += drain(packets, now);
    }
    return passed;
  }

  private static int drain(Runner packets, long now) {
    int passed = 0;
    while (packets.run(now) != Runner.DROPPED) {
      passed++;
    }
    return passed;
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "1000, 2", "1000000, 1", "33333333, 3"})
  void steadyRateIsExactlyQFromABurstOfOnePacketUp(long rate, long burst) {
    try (VirtualHook hook = hook(Policy.packets(rate, burst))) {
      long second = 0;
      hook.passing((int) burst, FRAME);
      int packets = 10_000;
      for (int i = 1; i <= packets; i++) {
        // The next whole nanosecond at which a token is granted, and what rounding may take.
        long due = Math.floorDiv(i * SECOND, rate) + 1 + SECOND / rate / 1000;
        hook.pass(due - second);
        second = due;
        assertThat(hook.passes(FRAME)).as("token %d", i).isTrue();
        assertThat(hook.passes(FRAME)).as("no more than %d", i).isFalse();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 20})
  void aBurstAfterIdlingForYearsIsWholeAndNoMore(long years) {
    for (Policy policy : new Policy[] {Policy.packets(1000, 100), Policy.packets(77, 6400)}) {
      try (VirtualHook hook = hook(policy)) {
        int burst = (int) policy.burst();
        hook.passing(burst + 1, FRAME);
        hook.pass(years * YEAR);
        assertThat(hook.passing(burst + 1, FRAME)).isBetween(burst - burst / 64, burst);
        hook.pass(SECOND);
        int granted = (int) Math.min(policy.rate(), burst);
        assertThat(hook.passing(burst, FRAME)).isBetween(granted - 1 - burst / 64, granted);
      }
    }
  }

  /** At 10^10 packets/s the axis turns every 28,147 s; at the start V is 2^60. */
  @Test
  void theWrapOfTheAxisChangesNothing() {
    long rate = 10_000_000_000L;
    long perNano = (1L << 16) * 10;
    long wrap = VirtualHook.START + Long.divideUnsigned(-AxisLine.V_START, perNano);
    byte[] frame = FRAME;
    try (VirtualHook hook = hook(Policy.packets(rate, 100))) {
      hook.passing(101, frame);
      hook.pass(wrap - VirtualHook.START - 1000);
      assertThat(hook.passing(200, frame)).isEqualTo(100);
      for (int i = 0; i < 2000; i++) {
        hook.pass(1);
        assertThat(hook.passing(20, frame)).as("%d ns from the wrap", i - 1000).isEqualTo(10);
      }
      for (int turns = 1; turns <= 3; turns++) {
        hook.pass(Long.divideUnsigned(-1L, perNano) - SECOND);
        assertThat(hook.passing(200, frame)).as("%d turns", turns).isLessThanOrEqualTo(100);
      }
    }
  }

  /** A packet reads the clock, and then waits while others are judged at later times. */
  @ParameterizedTest
  @ValueSource(longs = {1, SECOND / 1000, DAY})
  void aClockReadingThatIsOldGrantsNothing(long age) {
    try (VirtualHook hook = hook(Policy.packets(1000, 100))) {
      hook.passing(101, FRAME);
      hook.pass(-age);
      assertThat(hook.passing(200, FRAME)).isZero();
      hook.pass(age);
      assertThat(hook.passing(200, FRAME)).isZero();
      hook.pass(10 * SECOND / 1000 + 1000);
      assertThat(hook.passing(200, FRAME)).isEqualTo(10);
    }
  }

  /**
   * Policies with each kind of bucket, each for its own sources, with this rate in packets per
   * second.
   */
  private static Policy[] ofEachKind(long rate) {
    return new Policy[] {
      Policy.packets(rate, 10).matching(Terms.from("10.0.0.0/24")),
      Policy.packets(rate, 1000).matching(Terms.from("10.0.1.0/24")),
      Policy.packets(rate, 10).perSource(64).matching(Terms.from("10.0.2.0/24")),
      Policy.packets(rate, 300).perSource(64).matching(Terms.from("10.0.3.0/24")),
      Policy.packets(rate, 10).perSource(4096).evicting().matching(Terms.from("10.0.4.0/24"))
    };
  }

  /** A turn of the axis takes 7.8 hours at 10 Gpps, where positions repeat. */
  @ParameterizedTest
  @ValueSource(longs = {1_000_000_000L, 10_000_000_000L})
  void idlingCostsNothingHoweverOftenTheAxisTurns(long rate) {
    long turn = (long) ((double) (1L << 48) / (double) rate * SECOND);
    List<Long> idles = new ArrayList<>();
    for (long part = 1; part < 64; part += 3) {
      idles.add(turn / 64 * part + turn / 128);
    }
    idles.addAll(List.of(turn - 1000, turn, turn + 1000, 2 * turn, 40 * turn - turn / 128));
    idles.add(365 * 24 * 3600 * SECOND / turn * turn - turn / 128);
    Policy[] policies = ofEachKind(rate);
    try (VirtualHook hook = hook(policies)) {
      for (long idle : idles) {
        hook.pass(idle);
        for (int i = 0; i < policies.length; i++) {
          int burst = Math.toIntExact(policies[i].burst());
          assertThat(hook.passing(burst + 5, Frames.udp("10.0.%d.2".formatted(i), 100)))
              .as("policy %d, idle for %f turns", i, (double) idle / (double) turn)
              .isBetween(burst - burst / 64, burst);
        }
      }
    }
  }

  /** A later line does not grant more tokens for the time before it. */
  @Test
  void aBucketThatIdledFillsByTheLinesThatWereInForce() {
    Policy slow = Policy.packets(1, 100_000);
    Policy fast = Policy.packets(10_000_000_000L, 100_000);
    try (VirtualHook hook = hook(slow)) {
      hook.passing(100_000, FRAME);
      hook.pass(7200 * SECOND);
      assertThat(hook.change(0, fast.at(0), SECOND / 10)).isZero();
      hook.pass(SECOND / 10);
      assertThat(hook.passing(30_000, FRAME)).isLessThanOrEqualTo(7200 + 100_000 / 64);
      hook.pass(SECOND / 1000);
      assertThat(hook.passing(1_000, FRAME)).isEqualTo(1_000);
    }
  }

  /** The new line holds from the flip on, but a reading from before t0 is of the old rate. */
  @ParameterizedTest
  @ValueSource(longs = {1, SECOND / 500, SECOND / 20})
  void aClockReadingOlderThanTheBendIsJudgedByTheOldRate(long age) {
    Policy slow = Policy.packets(100, 100);
    Policy fast = Policy.packets(1_000_000, 100);
    try (VirtualHook hook = hook(slow)) {
      hook.passing(101, FRAME);
      assertThat(hook.change(0, fast.at(0), SECOND / 10)).isZero();
      hook.pass(SECOND / 10 - age);
      assertThat(hook.passing(101, FRAME)).isBetween(4, 10);
      hook.pass(age);
      assertThat(hook.passing(101, FRAME)).isLessThanOrEqualTo(5);
      hook.pass(50_000);
      assertThat(hook.passing(101, FRAME)).isBetween(49, 51);
    }
  }

  /**
   * The packet passes a full bucket and leaves debt. So it is not refused for ever, and the rate
   * stays Q.
   */
  @ParameterizedTest
  @CsvSource({"1000, 1, 10", "1000, 1, 65535", "50, 3, 17", "1000000, 10, 64"})
  void superPacketsLargerThanTheSmallestBurstsPassAtExactlyQ(long rate, long burst, int segments) {
    byte[] merged = Frames.udp("10.0.0.2", 42 + 100);
    Merged as = new Merged(segments, 100, 0);
    try (VirtualHook hook = hook(Policy.packets(rate, burst))) {
      assertThat(hook.passes(merged, as)).isTrue();
      for (int i = 1; i <= 100; i++) {
        // The debt and a full bucket, plus the tokens that rounding may take.
        long wait = segments * SECOND / rate;
        hook.pass(wait - wait / 1000 - 1);
        assertThat(hook.passes(merged, as)).as("before debt %d is paid", i).isFalse();
        hook.pass(2 * (wait / 1000 + 1));
        assertThat(hook.passes(merged, as)).as("when debt %d is paid", i).isTrue();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1000, 128", "1000, 6400", "1000000, 100000", "10000000, 400000"})
  void lastingDemandGetsQLessAPartOfTheBurst(long rate, long burst) {
    try (VirtualHook hook = hook(Policy.packets(rate, burst))) {
      Runner packets = hook.runner();
      packets.load(FRAME, FRAME.length);
      long now = VirtualHook.START;
      int first = drain(packets, now);
      assertThat((long) first).isBetween(burst - burst / 64, burst);
      long passed = 0;
      long gap = Math.max(1, 20 * SECOND / rate);
      for (int i = 1; i <= 1000; i++) {
        now += gap;
        passed += drain(packets, now);
        double granted = (double) rate * (now - VirtualHook.START) / SECOND;
        assertThat((double) passed)
            .isBetween(granted - burst / 64.0 - 1.001, granted + burst - first + 1.001);
      }
    }
  }
}

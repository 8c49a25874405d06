// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Changes of rate and burst, in the kernel and under a virtual clock. Needs root. */
class ParameterChangeTest extends KernelTest {
  private static final byte[] FRAME = Frames.udp("10.0.0.2", 100);
  private static final long SECOND = 1_000_000_000L;
  private static final long AHEAD = SECOND / 20;
  private static final int EAGAIN = 11;
  private static final int ETIME = 62;
  private static final Policy SLOW = Policy.packets(100, 1000);
  private static final Policy FAST = Policy.packets(10_000, 1000);

  /** The tokens that rounding and the prepaid part of a burst may take. */
  private static final int SLACK = 1000 / 64 + 1;

  @Test
  void aDrainedBucketIsNeitherStalledByAFasterRateNorRefilledByASlowerOne() {
    try (VirtualHook hook = hook(SLOW)) {
      drain(hook);
      assertThat(hook.change(0, FAST.at(0), AHEAD)).isZero();
      hook.pass(AHEAD);
      assertThat(hook.passing(50, FRAME)).as("granted by the old rate").isBetween(4, 5);
      hook.pass(SECOND / 100);
      assertThat(hook.passing(500, FRAME)).as("10 ms of the new rate").isBetween(99 - SLACK, 101);

      drain(hook);
      assertThat(hook.change(0, SLOW.at(0), AHEAD)).isZero();
      hook.pass(AHEAD);
      drain(hook);
      hook.pass(SECOND);
      assertThat(hook.passing(2000, FRAME))
          .as("a second of the old rate")
          .isBetween(99 - SLACK, 101);
    }
  }

  @Test
  void untilTheBendTheOldRateHolds() {
    try (VirtualHook hook = hook(SLOW)) {
      drain(hook);
      assertThat(hook.change(0, FAST.at(0), SECOND)).isZero();
      hook.pass(SECOND / 2);
      assertThat(hook.passing(500, FRAME)).isBetween(49 - SLACK, 51);
    }
  }

  @Test
  void afterBurstShrinksNoMoreThanTheNewOneIsHeld() {
    try (VirtualHook hook = hook(SLOW)) {
      assertThat(hook.passes(FRAME)).isTrue();
      assertThat(hook.change(0, Policy.packets(100, 10).at(0), AHEAD)).isZero();
      hook.pass(AHEAD);
      assertThat(hook.passing(2000, FRAME)).isEqualTo(10);
    }
  }

  @Test
  void aChangeThatComesLateIsRefusedAndChangesNothing() {
    try (VirtualHook hook = hook(SLOW)) {
      drain(hook);
      assertThat(hook.change(0, FAST.at(0), 0)).isEqualTo(-ETIME);
      hook.pass(SECOND);
      assertThat(hook.passing(2000, FRAME)).isBetween(99 - SLACK, 101);
    }
  }

  /** A delay between the two steps of a change never bends a verdict after the fact. */
  @Test
  void aProposalThatAPacketMeetsAfterItsTimeComesToNothing() {
    try (VirtualHook hook = hook(SLOW)) {
      drain(hook);
      assertThat(hook.propose(0, FAST.at(0), AHEAD)).isZero();
      hook.pass(SECOND);
      assertThat(hook.passing(2000, FRAME)).as("of the old rate").isBetween(99 - SLACK, 101);
      assertThat(hook.commit(0, FAST.at(0))).isEqualTo(-ETIME);
      assertThat(hook.passing(2000, FRAME)).isZero();
      assertThat(hook.change(0, FAST.at(0), AHEAD)).as("a new one").isZero();
    }
  }

  @Test
  void aSweepAfterAProposalsTimeRefusesItToo() {
    Policy slow = SLOW.perSource(10);
    try (VirtualHook hook = hook(slow)) {
      hook.passes(FRAME);
      assertThat(hook.propose(0, FAST.perSource(10).at(0), AHEAD)).isZero();
      hook.pass(SECOND);
      assertThat(hook.sweep(0)).isOne();
      assertThat(hook.commit(0, FAST.perSource(10).at(0))).isEqualTo(-ETIME);
    }
  }

  @Test
  void aProposalThatAllPacketsMeetBeforeItsTimeIsCommittedHoweverLate() {
    try (VirtualHook hook = hook(SLOW)) {
      drain(hook);
      assertThat(hook.propose(0, FAST.at(0), AHEAD)).isZero();
      hook.pass(AHEAD - 1);
      assertThat(hook.passing(50, FRAME)).as("granted by the old rate").isBetween(4, 5);
      hook.pass(SECOND / 100);
      assertThat(hook.commit(0, FAST.at(0))).isZero();
      assertThat(hook.passing(500, FRAME)).as("10 ms of the new rate").isBetween(99 - SLACK, 101);
    }
  }

  /** An agent that was killed between the steps leaves a proposal behind. */
  @Test
  void aProposalTakesThePlaceOfOneThatWasLeft() {
    try (VirtualHook hook = hook(SLOW)) {
      drain(hook);
      assertThat(hook.propose(0, Policy.packets(1_000_000, 1000).at(0), AHEAD)).isZero();
      hook.pass(SECOND);
      assertThat(hook.change(0, FAST.at(0), AHEAD)).isZero();
      hook.pass(AHEAD);
      assertThat(hook.passing(2000, FRAME)).isBetween(104 - SLACK, 106);
    }
  }

  /** Otherwise the rate behind the last bend would hold before it, and V would jump. */
  @Test
  void aChangeIsRefusedWhileTheLastBendIsAhead() {
    try (VirtualHook hook = hook(FAST)) {
      drain(hook);
      assertThat(hook.change(0, SLOW.at(0), AHEAD)).isZero();
      hook.pass(AHEAD - 1);
      hook.passing(2000, FRAME);
      assertThat(hook.change(0, FAST.at(0), AHEAD)).isEqualTo(-EAGAIN);
      assertThat(hook.passing(2000, FRAME)).isZero();
      hook.pass(1);
      assertThat(hook.change(0, FAST.at(0), AHEAD)).isZero();
    }
  }

  @Test
  void changesBackToBackGrantTheIntegralOfTheRates() {
    try (VirtualHook hook = hook(FAST)) {
      drain(hook);
      int passed = 0;
      for (int i = 0; i < 20; i++) {
        assertThat(hook.change(0, (i % 2 == 0 ? SLOW : FAST).at(0), AHEAD)).isZero();
        hook.pass(AHEAD);
        passed += hook.passing(2000, FRAME);
      }
      // ten spans of 50 ms at each rate
      assertThat(passed).isBetween(10 * 5 + 10 * 500 - SLACK, 10 * 5 + 10 * 500 + 1);
    }
  }

  private static void drain(VirtualHook hook) {
    hook.passing(2000, FRAME);
    assertThat(hook.passes(FRAME)).isFalse();
  }
}

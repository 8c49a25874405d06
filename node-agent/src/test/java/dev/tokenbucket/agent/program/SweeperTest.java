// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Removal of idle buckets, in the kernel and under a virtual clock. Needs root. */
class SweeperTest extends KernelTest {
  private static final long SECOND = 1_000_000_000L;
  private static final int UDP = 17;

  @Test
  void idleBucketsAreRemovedAndNewSourcesFindAPlace() {
    Policy policy = Policy.packets(1000, 10).perSource(2);
    try (VirtualHook hook = hook(policy)) {
      hook.passing(10, Frames.udp("10.0.0.2", 100));
      hook.passing(10, Frames.udp("fd00::2", 100));
      hook.pass(SECOND);
      assertThat(hook.sweep(0)).isEqualTo(2);
      assertThat(hook.passing(20, Frames.udp("10.0.0.3", 100))).isEqualTo(10);
      assertThat(hook.passing(20, Frames.udp("10.0.0.2", 100))).isEqualTo(10);
      assertThat(hook.counters(0).overflow()).isZero();
    }
  }

  @Test
  void aBucketThatIsNotFullKeepsItsDebt() {
    Policy policy = Policy.packets(1000, 10).perSource(2);
    byte[] frame = Frames.udp("10.0.0.2", 100);
    try (VirtualHook hook = hook(policy)) {
      hook.passing(10, frame);
      hook.pass(9 * SECOND / 1000);
      assertThat(hook.sweep(0)).isZero();
      assertThat(hook.passing(20, frame)).isBetween(8, 9);
    }
  }

  @Test
  void aWholeBurstThatIsPrepaidInPartIsNotTakenForIdle() {
    Policy policy = Policy.packets(1_000_000, 12_800).perSource(2);
    byte[] frame = Frames.udp("10.0.0.2", 100);
    try (VirtualHook hook = hook(policy)) {
      hook.passes(frame);
      assertThat(hook.sweep(0)).isZero();
      hook.pass(31_000);
      assertThat(hook.sweep(0)).isZero();
      hook.pass(2_000);
      assertThat(hook.sweep(0)).isEqualTo(1);
    }
  }

  @Test
  void moreIdleBucketsThanOneRunHoldsAreAllRemoved() {
    Policy policy = Policy.packets(1000, 10).perSource(3000);
    try (VirtualHook hook = hook(policy)) {
      for (int i = 0; i < 3000; i++) {
        hook.passes(Frames.udp("10.1.%d.%d".formatted(i / 250, i % 250), 100));
      }
      hook.pass(SECOND);
      assertThat(hook.sweep(0)).isEqualTo(3000);
      assertThat(hook.sweep(0)).isZero();
    }
  }

  @Test
  void idleFlowsAreRemovedToo() {
    Policy policy = Policy.packets(1000, 10).perFlow(2);
    try (VirtualHook hook = hook(policy)) {
      hook.passes(Frames.ports(UDP, 1, 2));
      hook.pass(SECOND);
      hook.passes(Frames.ports(UDP, 3, 4));
      assertThat(hook.sweep(0)).isEqualTo(1);
      hook.passes(Frames.ports(UDP, 5, 6));
      assertThat(hook.counters(0).overflow()).isZero();
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.TokenLimit;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * A bucket per key inside a bucket that all of them share, in the kernel and under a virtual clock.
 * Needs root.
 */
class ParentBucketTest extends BothHooksTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long LENGTH = from(1).length;
  private static final int TRACES = 8;
  private static final int PACKETS = 400;

  /** More than rounding of either bucket can come to within a trace: a millionth of a token. */
  private static final BigInteger ROUNDING = ExactAxis.TOKEN.divide(BigInteger.valueOf(1_000_000));

  private static byte[] from(int source) {
    return Frames.udp("10.0.0." + source, 1000);
  }

  @Test
  void aPacketConformsIfBothBucketsDo() {
    try (VirtualHook hook = hook(Policy.packets(1, 3).perSource(8).withParent(1, 7))) {
      assertThat(hook.passing(5, from(1))).isEqualTo(3);
      assertThat(hook.passing(5, from(2))).isEqualTo(3);
      assertThat(hook.passing(5, from(3))).as("what the parent has left").isEqualTo(1);
      assertThat(hook.counters(0).conformPackets()).isEqualTo(7);
      assertThat(hook.counters(0).exceedPackets()).isEqualTo(8);
      assertThat(hook.counters(0).byParent()).isEqualTo(4);
    }
  }

  @Test
  void aSourceAboveItsRateTakesNothingFromTheParent() {
    try (VirtualHook hook = hook(Policy.packets(1, 3).perSource(8).withParent(1, 6))) {
      assertThat(hook.passing(10_000, from(1))).isEqualTo(3);
      assertThat(hook.passing(5, from(2))).isEqualTo(3);
      assertThat(hook.counters(0).byParent()).isZero();
    }
  }

  @Test
  void aPacketThatTheParentRefusesCostsItsSourceNothing() {
    Policy[] kinds = {
      Policy.packets(1, 3).perSource(8),
      Policy.packets(1, 3).perSource(8).evicting(),
      Policy.packets(1, 3).perFlow(8),
      Policy.packets(1, 3).perDestination(8),
      Policy.bytes(8, 3 * LENGTH).perSource(8)
    };
    for (Policy kind : kinds) {
      boolean bytes = kind.burst() > 3;
      Policy policy = bytes ? kind.withParent(8 * LENGTH, LENGTH) : kind.withParent(1, 1);
      try (VirtualHook hook = hook(policy)) {
        assertThat(hook.passing(1, from(1))).isEqualTo(1);
        assertThat(hook.passing(1000, from(1))).as("by the parent").isZero();
        assertThat(hook.counters(0).byParent()).isEqualTo(1000);
        for (int i = 0; i < 2; i++) {
          hook.pass(SECOND + SECOND / 1000);
          assertThat(hook.passing(50, from(1))).as("%s, token %d", policy.at(0), i).isEqualTo(1);
        }
      }
    }
  }

  @Test
  void packetsWithoutAPlaceAreJudgedByTheOverflowBucketAndTheParent() {
    try (VirtualHook hook = hook(Policy.packets(1, 3).perSource(1).withParent(1, 5))) {
      assertThat(hook.passing(5, from(1))).isEqualTo(3);
      assertThat(hook.passing(4, from(2))).isEqualTo(2);
      assertThat(hook.counters(0).byParent()).isEqualTo(2);
      hook.pass(SECOND + SECOND / 1000);
      assertThat(hook.passing(4, from(2))).as("one of the parent's, own ones left").isEqualTo(1);
    }
  }

  @Test
  void auditedAndRelabelledPacketsPassAndCount() {
    Policy limit = Policy.packets(1, 3).perSource(8).withParent(1, 2);
    try (VirtualHook hook = hook(limit.audited(), limit.settingDscp(10))) {
      assertThat(hook.passing(5, from(1))).isEqualTo(5);
      assertThat(hook.counters(0).byParent()).isEqualTo(3);
      assertThat(hook.counters(1).byParent()).isEqualTo(3);
      assertThat(hook.counters(1).marked()).isEqualTo(3);
    }
  }

  /** Bursts are so small that nothing is handed out in advance: each verdict must be exact. */
  @Test
  void eachVerdictIsThatOfTwoExactBuckets() {
    for (int seed = 0; seed < TRACES; seed++) {
      Random random = new Random(seed);
      Policy policy =
          Policy.packets(1 + random.nextInt(1000), 1 + random.nextInt(20))
              .perSource(8)
              .withParent(1 + random.nextInt(2000), 1 + random.nextInt(60));
      try (VirtualHook hook = hook(policy)) {
        new Exact(policy.at(0), hook).run(random);
      }
    }
  }

  private static final class Exact {
    private static final int SOURCES = 4;

    private final NodePolicy policy;
    private final VirtualHook hook;
    private final List<ExactBucket> own = new ArrayList<>();
    private final ExactBucket parent;
    private final long parentBurst;
    private long surelyByParent;
    private long perhapsByParent;

    Exact(NodePolicy policy, VirtualHook hook) {
      this.policy = policy;
      this.hook = hook;
      for (int i = 0; i < SOURCES; i++) {
        own.add(new ExactBucket(axis(policy.rate()), VirtualHook.START, policy.burst()));
      }
      TokenLimit limit = policy.parentLimit().orElseThrow();
      parentBurst = limit.burst();
      parent = new ExactBucket(axis(limit.rate().amount()), VirtualHook.START, parentBurst);
    }

    private ExactAxis axis(long rate) {
      return new ExactAxis(policy.unit(), rate, VirtualHook.START);
    }

    void run(Random random) {
      for (int i = 0; i < PACKETS; i++) {
        if (random.nextInt(4) == 0) {
          hook.pass(random.nextLong(SECOND / (1 + random.nextInt(200))));
        }
        judge(random.nextInt(SOURCES));
      }
      assertThat(hook.counters(0).byParent()).isBetween(surelyByParent, perhapsByParent);
    }

    private void judge(int source) {
      ExactBucket mine = own.get(source);
      BigInteger beyond = mine.beyondNeed(hook.now(), 1, policy.burst());
      BigInteger least = beyond.min(parent.beyondNeed(hook.now(), 1, parentBurst));
      boolean passed = hook.passes(from(source));
      if (least.abs().compareTo(ROUNDING) > 0) {
        assertThat(passed).as("source %d of %s", source, policy).isEqualTo(least.signum() > 0);
      }
      if (passed) {
        mine.take(hook.now(), 1, policy.burst());
        parent.take(hook.now(), 1, parentBurst);
      } else {
        surelyByParent += beyond.compareTo(ROUNDING) > 0 ? 1 : 0;
        perhapsByParent += beyond.compareTo(ROUNDING.negate()) > 0 ? 1 : 0;
      }
    }
  }
}

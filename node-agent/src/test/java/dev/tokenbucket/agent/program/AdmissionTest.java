// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.slots.PolicySlots;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * In a full table, a key that comes back gets the place of a full bucket (admission.h). In the
 * kernel and under a virtual clock. Needs root.
 */
class AdmissionTest extends KernelTest {
  private static final long SECOND = 1_000_000_000L;
  private static final int UDP = 17;

  private static final int ADMISSIONS_PER_TICK = 256;

  /** {@code REPLACE_LOOKS} of tables.h. */
  private static final int LOOKS = 4;

  /** Longer than a tick of the virtual clock. */
  private static final long TICK = 1 << 23;

  private static byte[] from(int net, int source) {
    return Frames.udp("10.%d.%d.%d".formatted(net, source / 250, source % 250 + 1), 100);
  }

  private static Set<String> sources(VirtualHook hook) {
    return hook.sources(0).stream().map(AdmissionTest::address).collect(Collectors.toSet());
  }

  private static String address(ByteBuffer source) {
    byte[] address = new byte[4];
    source.get(0, address);
    try {
      return InetAddress.getByAddress(address).getHostAddress();
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aSourceThatComesBackTakesThePlaceOfAFullBucket() {
    try (VirtualHook hook = hook(Policy.packets(1000, 10).perSource(2))) {
      hook.passing(10, Frames.udp("10.0.0.2", 100));
      hook.passing(10, Frames.udp("10.0.0.3", 100));
      hook.pass(SECOND);
      assertThat(hook.passes(Frames.udp("10.0.0.4", 100))).isTrue();
      assertThat(hook.counters(0).overflow()).as("the first packet has no bucket").isEqualTo(1);

      assertThat(hook.passing(20, Frames.udp("10.0.0.4", 100))).isEqualTo(10);
      assertThat(hook.counters(0).overflow()).as("the next ones have their own").isEqualTo(1);
      assertThat(sources(hook)).hasSize(2).contains("10.0.0.4");
    }
  }

  @Test
  void aFlowTakesThePlaceOfAFullOne() {
    try (VirtualHook hook = hook(Policy.packets(1000, 10).perFlow(2))) {
      hook.passes(Frames.ports(UDP, 1, 2));
      hook.passes(Frames.ports(UDP, 3, 4));
      hook.pass(SECOND);
      hook.passing(11, Frames.ports(UDP, 5, 6));
      assertThat(hook.counters(0).overflow()).isEqualTo(1);
      assertThat(hook.passing(10, Frames.ports(UDP, 5, 6))).isZero();
    }
  }

  @Test
  void aBucketThatIsNotFullKeepsItsPlace() {
    try (VirtualHook hook = hook(Policy.packets(1, 10).perSource(2))) {
      hook.passing(10, Frames.udp("10.0.0.2", 100));
      hook.passing(10, Frames.udp("10.0.0.3", 100));
      hook.pass(9 * SECOND);
      assertThat(hook.passing(20, Frames.udp("10.0.0.4", 100)))
          .as("of the shared one")
          .isEqualTo(10);
      assertThat(hook.counters(0).overflow()).isEqualTo(20);
      assertThat(hook.passing(20, Frames.udp("10.0.0.2", 100))).isBetween(8, 9);
      assertThat(sources(hook)).containsExactlyInAnyOrder("10.0.0.2", "10.0.0.3");
    }
  }

  @Test
  void theBucketThatHasBeenFullForLongestGoesFirst() {
    try (VirtualHook hook = hook(Policy.packets(1000, 10).perSource(LOOKS))) {
      for (int source = 0; source < LOOKS; source++) {
        hook.passes(from(1, source));
        hook.pass(SECOND);
      }
      for (int source = 0; source < LOOKS; source++) {
        hook.passing(2, from(2, source));
        assertThat(sources(hook))
            .as("newcomer %d", source)
            .contains("10.2.0." + (source + 1))
            .doesNotContain("10.1.0." + (source + 1));
        hook.pass(SECOND);
      }
    }
  }

  @Test
  void aTickAdmitsSome() {
    int newcomers = ADMISSIONS_PER_TICK + 50;
    try (VirtualHook hook = hook(Policy.packets(10, 10).perSource(20 * newcomers))) {
      IntStream.range(0, 20 * newcomers).forEach(source -> hook.passes(from(1, source)));
      hook.pass(SECOND);
      for (int round = 0; round < 2; round++) {
        IntStream.range(0, newcomers).forEach(source -> hook.passes(from(2, source)));
      }
      // Rarely, none of the buckets that a newcomer looks at is full.
      assertThat(newcomersOf(hook)).isBetween(ADMISSIONS_PER_TICK - 3L, (long) ADMISSIONS_PER_TICK);
      hook.pass(TICK);
      IntStream.range(0, newcomers).forEach(source -> hook.passes(from(2, source)));
      assertThat(newcomersOf(hook)).isBetween(newcomers - 3L, (long) newcomers);
    }
  }

  private static long newcomersOf(VirtualHook hook) {
    return sources(hook).stream().filter(source -> source.startsWith("10.2.")).count();
  }

  @Test
  void sourcesThatComeOnceTakeNoPlaceOfAFullTable() {
    int once = 5_000;
    try (VirtualHook hook = hook(Policy.packets(1000, 10).perSource(100))) {
      IntStream.range(0, 100).forEach(source -> hook.passes(from(1, source)));
      hook.pass(SECOND);
      IntStream.range(0, once).forEach(source -> hook.passes(from(2, source)));
      // One in 8,192 looks like another one.
      assertThat(newcomersOf(hook)).isLessThan(10);
      assertThat(hook.counters(0).overflow()).isGreaterThan(once - 10);
    }
  }

  @Test
  void aTableTurnsKeysAwayUntilAPlaceIsFreed() {
    PolicySlots slots = new PolicySlots(new LinuxKernel(), new Pins(bpffs), objects, any -> {});
    try (VirtualHook hook = hook(Policy.packets(1000, 10).perSource(1))) {
      hook.passes(Frames.udp("10.0.0.2", 100));
      assertThat(slots.turnsKeysAway(0)).as("full, but nobody else came").isFalse();
      hook.passes(Frames.udp("10.0.0.3", 100));
      assertThat(slots.turnsKeysAway(0)).isTrue();
      hook.pass(SECOND);
      assertThat(hook.sweep(0)).isEqualTo(1);
      assertThat(slots.turnsKeysAway(0)).isFalse();
    }
  }

  @Test
  void aSlotsNewOwnerHasTurnedNobodyAway() {
    PolicySlots slots = new PolicySlots(new LinuxKernel(), new Pins(bpffs), objects, any -> {});
    try (VirtualHook hook = hook(Policy.packets(1000, 10).perSource(1))) {
      hook.passes(Frames.udp("10.0.0.2", 100));
      hook.passes(Frames.udp("10.0.0.3", 100));
      assertThat(slots.turnsKeysAway(0)).isTrue();
    }
    try (VirtualHook hook = hook(Policy.packets(1000, 10).perSource(1))) {
      assertThat(slots.turnsKeysAway(0)).as("the slot has a new owner").isFalse();
      assertThat(hook.notIp()).isZero();
    }
  }

  @Test
  void aSweepOfAFullTableLeavesBucketsThatFilledALittleAgo() {
    try (VirtualHook hook = hook(Policy.packets(1000, 10).perSource(2))) {
      hook.passes(Frames.udp("10.0.0.2", 100));
      hook.pass(9 * SECOND);
      hook.passes(Frames.udp("10.0.0.3", 100));
      hook.pass(2 * SECOND);
      assertThat(hook.sweepRested(0, hook.now(), 10 * SECOND)).isEqualTo(1);
      assertThat(sources(hook)).containsExactly("10.0.0.3");
    }
  }
}

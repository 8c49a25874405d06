// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.BucketPer;
import org.junit.jupiter.api.Test;

/**
 * A bucket for each source and destination, in the kernel and under a virtual clock. Needs root.
 */
class PairBucketsTest extends BothHooksTest {
  private static final long SECOND = 1_000_000_000L;
  private static final String CLIENT = "10.0.0.2";
  private static final String OTHER_CLIENT = "10.0.0.3";
  private static final String SERVICE = "10.9.0.1";
  private static final String OTHER_SERVICE = "10.9.0.2";

  private static Policy perPair(int places) {
    return Policy.packets(1, 3).per(BucketPer.SourceAndDestinationIP, places);
  }

  private static byte[] packet(String client, String service) {
    return Frames.to(service, Frames.from(client, Frames.tcp(5, 80, 0x10)));
  }

  /** From fd00::2, to an address that differs from fd00::1 in this byte. */
  private static byte[] packet6(int at, int value) {
    byte[] frame = Frames.udp("fd00::2", 100);
    frame[14 + 24 + at] = (byte) value;
    return frame;
  }

  @Test
  void eachPairHasABucketWhateverItsPorts() {
    try (VirtualHook hook = hook(perPair(16))) {
      assertThat(hook.passing(5, packet(CLIENT, SERVICE))).isEqualTo(3);
      assertThat(hook.passing(5, packet(CLIENT, OTHER_SERVICE))).isEqualTo(3);
      assertThat(hook.passing(5, packet(OTHER_CLIENT, SERVICE))).isEqualTo(3);
      byte[] otherPorts = Frames.to(SERVICE, Frames.from(CLIENT, Frames.ports(17, 6, 7)));
      assertThat(hook.passing(5, otherPorts)).isZero();
      assertThat(hook.passing(5, packet(SERVICE, CLIENT))).as("the other way").isEqualTo(3);
      assertThat(hook.counters(0).overflow()).isZero();
    }
  }

  @Test
  void prefixLengthsWidenBothAddresses() {
    try (VirtualHook hook = hook(perPair(16).prefixes(24, 64))) {
      assertThat(hook.passing(5, packet(CLIENT, SERVICE))).isEqualTo(3);
      assertThat(hook.passing(5, packet(OTHER_CLIENT, OTHER_SERVICE))).isZero();
      assertThat(hook.passing(5, packet("10.0.1.2", SERVICE))).isEqualTo(3);
      assertThat(hook.passing(5, packet(CLIENT, "10.9.1.1"))).isEqualTo(3);

      assertThat(hook.passing(5, packet6(15, 1))).isEqualTo(3);
      assertThat(hook.passing(5, packet6(8, 1))).isZero();
      assertThat(hook.passing(5, packet6(7, 1))).isEqualTo(3);
    }
  }

  @Test
  void idlePairsAreRemovedAndThoseWithoutAPlaceShareABucket() {
    try (VirtualHook hook = hook(perPair(2))) {
      hook.passing(5, packet(CLIENT, SERVICE));
      hook.passing(5, packet(CLIENT, OTHER_SERVICE));
      assertThat(hook.passing(5, packet(OTHER_CLIENT, SERVICE))).isEqualTo(3);
      assertThat(hook.passing(5, packet(OTHER_CLIENT, OTHER_SERVICE))).isZero();
      assertThat(hook.counters(0).overflow()).isEqualTo(10);

      hook.pass(4 * SECOND);
      assertThat(hook.sweep(0)).isEqualTo(2);
      assertThat(hook.passing(5, packet(OTHER_CLIENT, OTHER_SERVICE))).isEqualTo(3);
      assertThat(hook.counters(0).overflow()).isEqualTo(10);
    }
  }

  @Test
  void markedAndEvictedPairsAreJudgedAsOthersAre() {
    byte[] capable = Frames.withClass(packet(CLIENT, SERVICE), 1);
    try (VirtualHook hook = hook(perPair(64).evicting().markingEcn())) {
      assertThat(hook.passing(10, capable)).isEqualTo(6);
      assertThat(hook.counters(0).marked()).isEqualTo(3);
      byte[] other = Frames.withClass(packet(CLIENT, OTHER_SERVICE), 1);
      assertThat(hook.passing(10, other)).isEqualTo(6);
    }
  }

  /** Each kind of key uses its own buckets, on a hook that has all kinds. */
  @Test
  void besidePoliciesOfOtherKeys() {
    Policy large = Policy.packets(1, 5);
    try (VirtualHook hook =
        hook(large.perSource(8), perPair(8), large.perDestination(8), large.perFlow(8))) {
      assertThat(hook.passing(9, packet(CLIENT, SERVICE))).isEqualTo(3);
      assertThat(hook.passing(9, packet(OTHER_CLIENT, SERVICE))).isEqualTo(2);
      assertThat(hook.counters(1).exceedPackets()).isEqualTo(4);
      assertThat(hook.counters(2).exceedPackets()).isEqualTo(1);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static dev.tokenbucket.agent.program.Terms.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.program.Frames.Extension;
import dev.tokenbucket.api.v1alpha1.PortRange;
import java.nio.ByteBuffer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Later fragments are judged as their first one (fragments.h), in the kernel. Needs root. */
class FragmentsTest extends KernelTest {
  private static final long SECOND = 1_000_000_000L;
  private static final int DNS = 53;
  private static final int OTHER = 9999;

  /** The datagram of the next fragments: none is met twice, unless a test means it. */
  private int datagram = 1;

  private static Policy onDns() {
    return Policy.packets(1, 1_000_000).matching(Terms.toPorts(UDP, new PortRange(DNS, DNS)));
  }

  private byte[] first(int port) {
    return Frames.fragment(Frames.ports(UDP, 4000, port), datagram, 0, true);
  }

  private byte[] later() {
    return Frames.fragment(Frames.ports(UDP, 0x4141, 0x4242), datagram, 100, false);
  }

  private byte[] first6(int port) {
    return Frames.extended(4000, port, Extension.fragment(datagram, 0, true));
  }

  /** The fragment claims another protocol; the first fragment's protocol counts. */
  private byte[] later6() {
    byte[] frame = Frames.extended(0x4141, 0x4242, Extension.fragment(datagram, 100, false));
    frame[14 + 40] = 59;
    return frame;
  }

  private static boolean judged(VirtualHook hook, byte[] frame) {
    long before = hook.counters(0).conformPackets();
    hook.passes(frame);
    return hook.counters(0).conformPackets() > before;
  }

  @Test
  void aPolicyOnAPortJudgesTheLaterFragmentsOfThatPortAlone() {
    try (VirtualHook hook = hook(onDns())) {
      assertThat(judged(hook, first(OTHER))).isFalse();
      assertThat(judged(hook, later())).isFalse();
      assertThat(judged(hook, later())).isFalse();
      datagram++;
      assertThat(judged(hook, later())).as("before its first one").isTrue();
      assertThat(judged(hook, first(DNS))).isTrue();
      assertThat(judged(hook, later())).isTrue();
      assertThat(judged(hook, Frames.from("10.0.0.9", later()))).as("another's").isTrue();

      assertThat(judged(hook, first6(OTHER))).isFalse();
      assertThat(judged(hook, later6())).isFalse();
      datagram++;
      assertThat(judged(hook, later6())).isTrue();
      assertThat(judged(hook, first6(DNS))).isTrue();
      assertThat(judged(hook, later6())).isTrue();
    }
  }

  @Test
  void exemptPortsAreThoseOfTheFirstFragment() {
    Policy policy =
        Policy.packets(1, 1_000_000).exempting(Terms.toPorts(UDP, new PortRange(DNS, DNS)));
    try (VirtualHook hook = hook(policy)) {
      assertThat(judged(hook, later())).isTrue();
      assertThat(judged(hook, first(DNS))).isFalse();
      assertThat(judged(hook, later())).isFalse();
    }
  }

  @Test
  void aFlowsFragmentsShareItsBucket() {
    try (VirtualHook hook = hook(Policy.packets(1, 10).perFlow(64))) {
      int passed = 0;
      int passed6 = 0;
      for (int i = 0; i < 10; i++) {
        datagram++;
        passed += hook.passing(1, first(DNS)) + hook.passing(1, later());
        passed6 += hook.passing(1, first6(DNS)) + hook.passing(1, later6());
      }
      assertThat(passed).isEqualTo(10);
      assertThat(passed6).isEqualTo(10);
    }
  }

  @Test
  void whatTheHostWouldNotReassembleIsNotRemembered() {
    try (VirtualHook hook = hook(onDns())) {
      assertNotRemembered(hook, "a checksum that is wrong", frame -> set(frame, 14 + 10, 0x1234));
      assertNotRemembered(
          hook, "longer than the frame", frame -> Frames.withClass(set(frame, 14 + 2, 2000), 0));
      assertNotRemembered(
          hook,
          "too short to be one of several",
          frame -> Frames.withClass(set(frame, 14 + 2, 20 + 7), 0));
      assertNotRemembered(hook, "to another host", frame -> set(frame, 0, 0x0202));
      assertNotRemembered(hook, "tagged", frame -> Frames.tagged(frame, 0x8100));
    }
  }

  private void assertNotRemembered(VirtualHook hook, String what, UnaryOperator<byte[]> spoil) {
    datagram++;
    assertThat(judged(hook, spoil.apply(first(OTHER)))).as(what).isFalse();
    assertThat(judged(hook, later())).as(what).isTrue();
  }

  private static byte[] set(byte[] frame, int offset, int value) {
    ByteBuffer.wrap(frame).putShort(offset, (short) value);
    return frame;
  }

  @Test
  void ofTwoFirstFragmentsNeitherCountsAndNoneForLong() {
    try (VirtualHook hook = hook(onDns())) {
      assertThat(judged(hook, first(OTHER))).isFalse();
      assertThat(judged(hook, first(DNS))).isTrue();
      assertThat(judged(hook, later())).isTrue();
      assertThat(judged(hook, first(OTHER))).isFalse();
      assertThat(judged(hook, later())).as("it was contradicted before").isTrue();

      hook.pass(2 * SECOND);
      assertThat(judged(hook, first(OTHER))).isFalse();
      assertThat(judged(hook, later())).as("the identification is reused").isFalse();
      hook.pass(2 * SECOND);
      assertThat(judged(hook, later())).as("too late for any reassembly").isTrue();
    }
  }
}

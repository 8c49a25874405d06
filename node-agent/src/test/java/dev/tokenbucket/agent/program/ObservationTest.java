// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.tokenbucket.agent.kernel.EventRing;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.layout.ExcessEventLayout;
import dev.tokenbucket.agent.layout.Field;
import dev.tokenbucket.agent.layout.ObservationCountersLayout;
import dev.tokenbucket.agent.layout.ObservationLayout;
import dev.tokenbucket.agent.layout.ObservedDirection;
import dev.tokenbucket.agent.layout.PolicyExcess;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.slots.Sums;
import dev.tokenbucket.api.v1alpha1.Direction;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The events that the classifier shows to an observer, in the kernel. Needs root. */
class ObservationTest extends KernelTest {
  private static final int ALL_SLOTS = -1;
  private static final int MOST = 1_000;

  private final LinuxKernel kernel = new LinuxKernel();

  @Test
  void eachExcessIsShownWithItsSlotItsOutcomeAndItsHeaders() {
    try (VirtualHook hook =
            hook(
                Policy.packets(1, 1).perSource(8).audited(),
                Policy.packets(1, 1).settingDscp(46),
                Policy.packets(1, 1));
        Ring ring = new Ring(MOST, 1, ALL_SLOTS)) {
      byte[] tcp = Frames.tcp(4_000, 443, 2);
      assertThat(hook.passing(2, tcp)).isOne();

      List<ByteBuffer> events = ring.events();
      assertThat(events)
          .extracting(ExcessEventLayout.SLOT::getInt, event -> octet(event, "outcome"))
          .containsExactly(
              tuple(0, PolicyExcess.POLICY_AUDITED),
              tuple(2, PolicyExcess.POLICY_MARKED),
              tuple(4, PolicyExcess.POLICY_DROP));
      assertThat(events)
          .allSatisfy(
              event -> {
                assertThat(octet(event, "version")).isEqualTo(4);
                assertThat(bytes(event, ExcessEventLayout.SOURCE)).startsWith(10, 0, 0, 2);
                assertThat(bytes(event, ExcessEventLayout.DESTINATION)).startsWith(10, 0, 0, 1);
                assertThat(octet(event, "protocol")).isEqualTo(6);
                // No policy of the hook asks for ports, so the program has not read them.
                assertThat(bytes(event, ExcessEventLayout.SOURCE_PORT))
                    .isEqualTo(new byte[] {4_000 >> 8, (byte) 4_000});
                assertThat(bytes(event, ExcessEventLayout.DESTINATION_PORT))
                    .isEqualTo(new byte[] {443 >> 8, (byte) 443});
                assertThat(octet(event, "has_ports")).isOne();
                assertThat(ExcessEventLayout.BYTES.getLong(event)).isEqualTo(tcp.length);
                assertThat(ExcessEventLayout.SEGMENTS.getInt(event)).isOne();
                assertThat(ExcessEventLayout.EGRESS.getInt(event)).isZero();
              });
    }
  }

  @Test
  void aSinglePolicyShowsPacketsOfBothFamiliesAndUnreadableOnes() {
    try (VirtualHook hook = hook(Direction.Egress, Policy.packets(1, 1));
        Ring ring = new Ring(MOST, 1, ALL_SLOTS)) {
      hook.passes(Frames.udp("10.0.0.2", 100));
      byte[] fragment = Frames.udp("10.0.0.2", 100);
      fragment[14 + 7] = 3;
      int tags = 0x8100;
      for (byte[] frame :
          List.of(
              Frames.udp("fd00::2", 100),
              Frames.icmpv6(128, 64),
              fragment,
              Frames.tagged(fragment, tags, tags, tags, tags, tags, tags, tags, tags, tags))) {
        assertThat(hook.passes(frame)).isFalse();
      }
      List<ByteBuffer> events = ring.events();
      assertThat(events).extracting(event -> octet(event, "version")).containsExactly(6, 6, 4, 1);
      assertThat(events)
          .extracting(event -> octet(event, "protocol"))
          .containsExactly(17, 58, 17, 0);
      assertThat(events).extracting(event -> octet(event, "has_ports")).containsExactly(1, 0, 0, 0);
      assertThat(events)
          .allSatisfy(each -> assertThat(ExcessEventLayout.EGRESS.getInt(each)).isOne());
    }
  }

  @Test
  void creditAndSamplingBoundTheEventsAndCountWhatTheyHoldBack() {
    byte[] frame = Frames.udp("10.0.0.2", 100);
    try (VirtualHook hook = hook(Policy.packets(1, 1), Policy.packets(1, 1).audited())) {
      hook.passes(frame);
      try (Ring ring = new Ring(7, 1, ALL_SLOTS)) {
        hook.passing(50, frame);
        assertThat(ring.events()).hasSize(7);
        assertThat(ring.counters()).containsExactly(50L, 0L, 43L, 0L);
      }
      try (Ring ring = new Ring(MOST, 10, ALL_SLOTS)) {
        hook.passing(50, frame);
        // A tenth per CPU, and the test may have run on several.
        int shown = ring.events().size();
        assertThat(shown).isBetween(5, 5 + kernel.possibleCpus());
        assertThat(ring.counters()).containsExactly(50L, 50L - shown, 0L, 0L);
      }
      try (Ring ring = new Ring(MOST, 1, 1 << 2)) {
        hook.passing(50, frame);
        assertThat(ring.events()).as("only of a policy that no packet reaches").isEmpty();
        assertThat(ring.counters()).containsExactly(0L, 0L, 0L, 0L);
      }
      try (Ring ring = new Ring(MOST, 1, ALL_SLOTS)) {
        hook.passing(100, frame);
        assertThat(ring.counters()).as("the ring has a page").satisfies(this::someAreLost);
        assertThat(ring.events()).hasSize((int) (100 - ring.counters().get(3)));
      }
    }
  }

  private void someAreLost(List<? extends Long> counters) {
    assertThat(counters.get(0)).isEqualTo(100);
    assertThat(counters.get(3)).isBetween(1L, 99L);
  }

  private static int octet(ByteBuffer event, String field) {
    return Byte.toUnsignedInt(event.get(ExcessEventLayout.STRUCT.field(field).offset()));
  }

  private static byte[] bytes(ByteBuffer event, Field field) {
    byte[] bytes = new byte[field.size()];
    event.get(field.offset(), bytes);
    return bytes;
  }

  /** An observer of both directions, whose ring has a page. */
  private final class Ring implements AutoCloseable {
    private static final int PAGE = 4096;

    private final Pins pins = new Pins(bpffs);
    private final int ring = kernel.createRing("ring", PAGE);
    private final EventRing events = kernel.events(ring);

    Ring(long credit, int sample, int slots) {
      byte[] words = new byte[ObservationLayout.SLOTS.size()];
      Arrays.fill(words, (byte) (slots == ALL_SLOTS ? ALL_SLOTS : 0));
      words[0] = (byte) slots;
      byte[] asked =
          ObservationLayout.STRUCT.encode(
              to -> {
                ObservationLayout.CREDIT.putLong(to, credit);
                ObservationLayout.SAMPLE.putInt(to, sample);
                ObservationLayout.DIRECTIONS.putInt(
                    to, ObservedDirection.OBSERVED_INGRESS | ObservedDirection.OBSERVED_EGRESS);
                ObservationLayout.SLOTS.put(to, words);
              });
      kernel.use(pins.map(ObservationLayout.MAP), map -> kernel.update(map, 0, asked));
      kernel.use(
          pins.map(ObservationCountersLayout.MAP),
          map -> kernel.updatePerCpu(map, 0, new byte[ObservationCountersLayout.STRUCT.size()]));
      byte[] descriptor =
          ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.nativeOrder()).putInt(ring).array();
      kernel.use(pins.map("observers"), map -> kernel.update(map, 0, descriptor));
    }

    List<ByteBuffer> events() {
      return events.poll(Duration.ZERO);
    }

    /** Seen, sampled out, over the rate, lost. */
    List<Long> counters() {
      Sums sums =
          kernel.read(
              pins.map(ObservationCountersLayout.MAP),
              map -> Sums.of(kernel.lookupPerCpu(map, 0, ObservationCountersLayout.STRUCT.size())));
      return ObservationCountersLayout.STRUCT.fields().stream().map(sums::of).toList();
    }

    @Override
    public void close() {
      kernel.use(pins.map("observers"), map -> kernel.delete(map, 0));
      events.close();
      kernel.close(ring);
    }
  }
}

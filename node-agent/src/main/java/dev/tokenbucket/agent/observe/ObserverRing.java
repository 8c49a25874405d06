// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.observe;

import dev.tokenbucket.agent.kernel.EventRing;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.layout.ObservationCountersLayout;
import dev.tokenbucket.agent.layout.ObservationLayout;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.slots.Sums;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * The ring that the classifier sends events to. It is in place only while a command observes, and a
 * host has one at a time. The maps are kept open, so that their pins may be removed meanwhile.
 */
final class ObserverRing implements AutoCloseable {
  /** The map that holds the ring. */
  static final String RINGS = "observers";

  /** Some 6,000 events. */
  private static final int BYTES = 1 << 19;

  private final Kernel kernel;
  private final Deque<Integer> open = new ArrayDeque<>();
  private final int rings;
  private final int observation;
  private final int counters;
  private final EventRing events;
  private final int ring;

  /**
   * Makes a ring, and leaves it out of place. Removes the ring of an observer that was killed.
   *
   * @throws IllegalStateException if another command observes
   */
  ObserverRing(Kernel kernel, Pins pins) {
    this.kernel = kernel;
    try {
      kept(
          kernel
              .lock(pins.root())
              .orElseThrow(
                  () ->
                      new IllegalStateException(
                          "another tb observe runs on this host, and only one can at a time;"
                              + " end the other one first")));
      rings = kept(kernel.open(pins.map(RINGS)));
      observation = kept(kernel.open(pins.map(ObservationLayout.MAP)));
      counters = kept(kernel.open(pins.map(ObservationCountersLayout.MAP)));
      remove();
      kernel.updatePerCpu(counters, 0, new byte[ObservationCountersLayout.STRUCT.size()]);
      ring = kept(kernel.createRing("excess_events", BYTES));
      events = kernel.events(ring);
    } catch (RuntimeException e) {
      closeDescriptors();
      throw e;
    }
  }

  private int kept(int descriptor) {
    open.push(descriptor);
    return descriptor;
  }

  /**
   * Writes which packets are asked for.
   *
   * @param asked {@code struct observation}
   */
  void ask(byte[] asked) {
    kernel.update(observation, 0, asked);
  }

  /** Puts the ring in place. */
  void place() {
    kernel.update(
        rings,
        0,
        ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.nativeOrder()).putInt(ring).array());
  }

  /** Waits for events, and takes those that there are by then. */
  List<ByteBuffer> poll(Duration longest) {
    return events.poll(longest);
  }

  /** Takes the ring out of place. When this returns, no packet sends an event any more. */
  void remove() {
    kernel.delete(rings, 0);
  }

  /** What happened to the packets that were asked for, of all CPUs. */
  Sums counters() {
    return Sums.of(kernel.lookupPerCpu(counters, 0, ObservationCountersLayout.STRUCT.size()));
  }

  private void closeDescriptors() {
    open.forEach(kernel::close);
  }

  @Override
  public void close() {
    remove();
    events.close();
    closeDescriptors();
  }
}

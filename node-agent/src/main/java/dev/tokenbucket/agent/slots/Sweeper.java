// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.slots;

import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.KernelPrograms;
import dev.tokenbucket.agent.layout.BucketLayout;
import dev.tokenbucket.agent.layout.ClockSourceLayout;
import dev.tokenbucket.agent.layout.FlowKeyLayout;
import dev.tokenbucket.agent.layout.PlaceLayout;
import dev.tokenbucket.agent.layout.PlaceLimit;
import dev.tokenbucket.agent.layout.SweepKeysLayout;
import dev.tokenbucket.agent.layout.SweepLimit;
import dev.tokenbucket.agent.layout.SweepRequestLayout;
import dev.tokenbucket.agent.pins.Pins;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Removes buckets that have become full, so that idle addresses and flows occupy no place: an
 * expired window equals no window. The sweeper lists candidates; sweep.bpf.c judges and removes
 * them. Each call examines a bounded number of buckets, and the next call continues from there;
 * after a restart, from the beginning.
 */
public final class Sweeper {
  private final Kernel kernel;
  private final Pins pins;
  private final Path object;
  private final BucketTables tables;
  private final Map<Integer, Next> places = new HashMap<>();

  /** Where the sweep of a slot continues, with the slot's identity, since slots change owners. */
  private record Next(SlotIdentity of, int array) {}

  public Sweeper(Kernel kernel, Pins pins, Path objects) {
    this.kernel = kernel;
    this.pins = pins;
    this.object = objects.resolve("sweep.bpf.o");
    this.tables = new BucketTables(kernel, pins);
  }

  /**
   * Sweeps the next buckets of a slot's table. The table must not be one in which the kernel itself
   * makes room.
   *
   * @param parameters the slot of the parameters: another slot if the table belongs to a policy's
   *     second window
   * @param most approximately the most buckets to examine
   * @param line the parameters
   * @param now CLOCK_MONOTONIC, in nanoseconds
   * @param rest nanoseconds for which a bucket has to have been full
   * @return the number of removed buckets
   */
  public int sweep(
      int slot,
      int parameters,
      SlotIdentity identity,
      AxisLine line,
      int most,
      long now,
      long rest) {
    boolean flows = identity.per().hasBothAddresses();
    try (Removal removal = new Removal(slot, parameters, flows, now)) {
      pass(slot, identity, line, most, now - rest, removal);
      return removal.flush();
    }
  }

  private void pass(
      int slot, SlotIdentity identity, AxisLine line, int most, long fullAt, Removal removal) {
    int arrays = tables.usedArrays(slot);
    Next next = places.get(slot);
    int array = next != null && next.of().equals(identity) ? next.array() : 0;
    for (int seen = 0; array < arrays && seen < most; seen += PlaceLimit.PLACES) {
      tables
          .places(slot, array)
          .ifPresent(all -> addFull(all, Pins.keySize(identity.per()), line, fullAt, removal));
      array++;
    }
    places.put(slot, new Next(identity, array < arrays ? array : 0));
  }

  private static void addFull(
      ByteBuffer places, int keySize, AxisLine line, long fullAt, Removal removal) {
    int posOfPlace = PlaceLayout.BUCKET.offset() + BucketLayout.POS.offset();
    for (int at = 0; at < places.capacity(); at += PlaceLayout.STRUCT.size()) {
      int key = at + PlaceLayout.KEY.offset();
      boolean used = places.getLong(key + keySize - Long.BYTES) != 0;
      if (used && isFull(line, places.getLong(at + posOfPlace), fullAt)) {
        removal.add(places.slice(key, keySize));
      }
    }
  }

  /** A guess, which the program checks again. A position ahead of V does not count as full. */
  private static boolean isFull(AxisLine line, long pos, long at) {
    return line.valueAt(at) - pos >= line.burst() && (pos & 1) == 0;
  }

  /** Gathers keys and removes them some hundreds at a time. */
  private final class Removal implements AutoCloseable {
    private final byte[] keys = new byte[SweepKeysLayout.STRUCT.size()];
    private final int slot;
    private final int parameters;
    private final boolean flows;
    private final long now;
    private Optional<KernelPrograms.ProgramAndMap> loaded = Optional.empty();
    private int gathered;
    private int removed;

    Removal(int slot, int parameters, boolean flows, long now) {
      this.slot = slot;
      this.parameters = parameters;
      this.flows = flows;
      this.now = now;
    }

    void add(ByteBuffer key) {
      FlowKeyLayout.STRUCT.at(ByteBuffer.wrap(keys), gathered).put(key);
      gathered++;
      if (gathered == SweepLimit.SWEEP_KEYS) {
        flush();
      }
    }

    /** Removes the gathered keys; returns the total number removed. */
    int flush() {
      if (gathered > 0) {
        KernelPrograms.ProgramAndMap sweep = loaded.orElseGet(this::load);
        loaded = Optional.of(sweep);
        kernel.update(sweep.map(), 0, keys);
        removed += Math.max(0, kernel.run(sweep.program(), request()));
        gathered = 0;
      }
      return removed;
    }

    private byte[] request() {
      return SweepRequestLayout.STRUCT.encode(
          to -> {
            SweepRequestLayout.SLOT.putInt(to, slot);
            SweepRequestLayout.PARAMETERS.putInt(to, parameters);
            SweepRequestLayout.KEYS.putInt(to, gathered);
            SweepRequestLayout.FLOWS.putInt(to, flows ? 1 : 0);
            ClockSourceLayout.TIMESTAMP.putLong(SweepRequestLayout.CLOCK.in(to), now);
          });
    }

    private KernelPrograms.ProgramAndMap load() {
      return kernel.loadWithMap(
          object, "sweep", pins.ofSweep(), Map.of(), List.of(), SweepKeysLayout.MAP);
    }

    @Override
    public void close() {
      loaded.ifPresent(
          sweep -> {
            kernel.close(sweep.program());
            kernel.close(sweep.map());
          });
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.explain;

import dev.tokenbucket.agent.kernel.KernelMaps;
import dev.tokenbucket.agent.layout.BucketLayout;
import dev.tokenbucket.agent.layout.PlaceLayout;
import dev.tokenbucket.agent.layout.PlaceLimit;
import dev.tokenbucket.agent.layout.TableCountersLayout;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.slots.BucketTables;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.agent.slots.Sums;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** The tables of buckets that programs on hooks use, read for one key. */
record LiveTables(KernelMaps kernel, Pins pins) {
  /** The bucket of a key; empty if the key has none. */
  Optional<byte[]> bucket(int slot, SlotIdentity identity, byte[] key) {
    Path table = pins.table(slot);
    Optional<byte[]> entry =
        kernel.read(table, map -> kernel.find(map, key, BucketTables.entrySize(identity)));
    return identity.evicts() ? entry : entry.flatMap(index -> placed(slot, number(index), key));
  }

  /**
   * The bucket in a place; empty if the place belongs to another key by now, because this key gave
   * it up.
   */
  private Optional<byte[]> placed(int slot, int index, byte[] key) {
    Path array = pins.places(slot, index / PlaceLimit.PLACES);
    byte[] place =
        kernel.read(
            array, map -> kernel.lookup(map, index % PlaceLimit.PLACES, PlaceLayout.STRUCT.size()));
    int at = PlaceLayout.KEY.offset();
    return Arrays.equals(place, at, at + key.length, key, 0, key.length)
        ? Optional.of(Arrays.copyOf(place, BucketLayout.STRUCT.size()))
        : Optional.empty();
  }

  private static int number(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getInt();
  }

  /** Whether a key that has no bucket gets none. */
  boolean isFull(int slot, SlotIdentity identity) {
    Sums sums =
        kernel.read(
            pins.map(TableCountersLayout.MAP),
            map -> Sums.of(kernel.lookupPerCpu(map, slot, TableCountersLayout.STRUCT.size())));
    return !identity.evicts()
        && sums.of(TableCountersLayout.ADDED) - sums.of(TableCountersLayout.REMOVED)
            >= identity.capacity();
  }
}

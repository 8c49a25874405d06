// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.simulate;

import dev.tokenbucket.agent.kernel.KernelMaps;
import dev.tokenbucket.agent.layout.BucketLayout;
import dev.tokenbucket.agent.layout.PlaceCursorLayout;
import dev.tokenbucket.agent.layout.PlaceLayout;
import dev.tokenbucket.agent.layout.PlaceLimit;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.slots.BucketTables;
import dev.tokenbucket.agent.slots.SlotIdentity;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Tables of buckets like those of {@link BucketTables}, but without pins. */
public final class SimulatedTables implements AutoCloseable {
  /** The capacity of a table for one key; more than 1, because the kernel makes room in advance. */
  private static final int FEW = 128;

  private final KernelMaps kernel;
  private final Map<String, Integer> maps;

  /** Descriptors by name and index in the array of maps, kept as long as they are read. */
  private final Map<String, Integer> kept = new HashMap<>();

  /**
   * @param maps descriptors of the program's maps, by name
   */
  public SimulatedTables(KernelMaps kernel, Map<String, Integer> maps) {
    this.kernel = kernel;
    this.maps = maps;
  }

  /** Creates a table of this capacity with every bucket full. */
  void create(int slot, SlotIdentity identity) {
    create(slot, identity, identity.capacity());
  }

  /** Creates a table for at most one bucket. */
  public void createForOne(int slot, SlotIdentity identity) {
    create(slot, identity, FEW);
  }

  /**
   * Sets the bucket of the only key.
   *
   * @param bucket empty if the key has none
   * @param full whether the key gets no bucket then
   */
  public void fill(
      int slot, SlotIdentity identity, byte[] key, Optional<byte[]> bucket, boolean full) {
    if (!identity.evicts()) {
      setCursor(slot, FEW, full ? FEW : bucket.isPresent() ? 1 : 0);
    }
    bucket.ifPresent(each -> put(slot, identity, key, each));
  }

  private void put(int slot, SlotIdentity identity, byte[] key, byte[] bucket) {
    if (identity.evicts()) {
      kernel.update(keptMap(table(identity), slot), key, bucket);
      return;
    }
    byte[] place = Arrays.copyOf(bucket, PlaceLayout.STRUCT.size());
    System.arraycopy(key, 0, place, PlaceLayout.KEY.offset(), key.length);
    kernel.update(keptMap("places", slot * PlaceLimit.SLOT_ARRAYS), 0, place);
    kernel.update(keptMap(table(identity), slot), key, new byte[Integer.BYTES]);
  }

  /** The bucket of the only key; empty if the key has none. */
  public Optional<byte[]> bucket(int slot, SlotIdentity identity, byte[] key) {
    Optional<byte[]> entry =
        kernel.find(keptMap(table(identity), slot), key, BucketTables.entrySize(identity));
    if (identity.evicts() || entry.isEmpty()) {
      return entry;
    }
    int index = ByteBuffer.wrap(entry.get()).order(ByteOrder.nativeOrder()).getInt();
    byte[] place =
        kernel.lookup(
            keptMap("places", slot * PlaceLimit.SLOT_ARRAYS), index, PlaceLayout.STRUCT.size());
    return Optional.of(Arrays.copyOf(place, BucketLayout.STRUCT.size()));
  }

  private static String table(SlotIdentity identity) {
    return Pins.tables(identity.per(), identity.evicts());
  }

  private void create(int slot, SlotIdentity identity, int capacity) {
    put(
        table(identity),
        slot,
        kernel.createHash(
            "buckets",
            Pins.keySize(identity.per()),
            BucketTables.entrySize(identity),
            capacity,
            identity.evicts()));
    if (identity.evicts()) {
      return;
    }
    put("hints", slot, kernel.createArray("hints", Integer.BYTES, PlaceLimit.HINTS));
    put("free_places", slot, kernel.createQueue("free_places", Integer.BYTES, capacity));
    int arrays = (capacity + PlaceLimit.PLACES - 1) / PlaceLimit.PLACES;
    for (int array = 0; array < arrays; array++) {
      put(
          "places",
          slot * PlaceLimit.SLOT_ARRAYS + array,
          kernel.createArray("places", PlaceLayout.STRUCT.size(), PlaceLimit.PLACES));
    }
    setCursor(slot, capacity, 0);
  }

  private void setCursor(int slot, int capacity, int used) {
    byte[] cursor =
        PlaceCursorLayout.STRUCT.encode(
            to -> {
              PlaceCursorLayout.NEXT.putInt(to, used);
              PlaceCursorLayout.CAPACITY.putInt(to, capacity);
            });
    kernel.update(map(PlaceCursorLayout.MAP), slot, cursor);
  }

  private void put(String outer, int key, int inner) {
    kept.put(outer + key, inner);
    byte[] value = ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(inner).array();
    kernel.update(map(outer), key, value);
  }

  private int map(String name) {
    return Objects.requireNonNull(maps.get(name), name);
  }

  private int keptMap(String outer, int key) {
    return Objects.requireNonNull(kept.get(outer + key), outer);
  }

  @Override
  public void close() {
    kept.values().forEach(kernel::close);
    kept.clear();
  }
}

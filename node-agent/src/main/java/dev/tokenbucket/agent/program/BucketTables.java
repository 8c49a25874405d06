package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.kernel.Kernel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** The maps of tables.h that hold a slot's buckets. */
final class BucketTables {
  /** {@code PLACES} of tables.h. */
  static final int PLACES = 1 << 14;

  /** {@code struct place}: a bucket, then its key. */
  static final int PLACE_SIZE = 64;

  static final int PLACE_KEY = 24;

  private static final int SLOT_ARRAYS = (1 << 22) / PLACES;
  private static final int HINTS = 1 << 16;
  private static final int BUCKET_SIZE = 24;

  private final Kernel kernel;
  private final Pins pins;

  BucketTables(Kernel kernel, Pins pins) {
    this.kernel = kernel;
    this.pins = pins;
  }

  /** Bytes of an entry's value: an evicting table holds the bucket, others its place's index. */
  static int entrySize(SlotIdentity identity) {
    return identity.evicts() ? BUCKET_SIZE : Integer.BYTES;
  }

  /** Makes a slot's maps, with every bucket full. */
  void create(int slot, SlotIdentity identity) {
    int keySize = Pins.keySize(identity.per());
    int capacity = identity.capacity();
    if (identity.evicts()) {
      put(
          tables(identity),
          slot,
          kernel.createHash("buckets", keySize, BUCKET_SIZE, capacity, true));
      return;
    }
    put(tables(identity), slot, kernel.createHash("buckets", keySize, 4, capacity, false));
    put("hints", slot, kernel.createArray("hints", 4, HINTS));
    put("free_places", slot, kernel.createQueue("free_places", 4, capacity));
    for (int array = 0; array < arrays(capacity); array++) {
      put("places", slot * SLOT_ARRAYS + array, kernel.createArray("places", PLACE_SIZE, PLACES));
    }
    byte[] cursor =
        ByteBuffer.allocate(8).order(ByteOrder.nativeOrder()).putInt(0).putInt(capacity).array();
    with("place_cursors", map -> kernel.update(map, slot, cursor));
  }

  /** Gives up a slot's maps, which no program may use any more. */
  void remove(int slot, SlotIdentity identity) {
    with(tables(identity), map -> kernel.delete(map, slot));
    if (identity.evicts()) {
      return;
    }
    List.of("hints", "free_places").forEach(name -> with(name, map -> kernel.delete(map, slot)));
    with(
        "places",
        map ->
            IntStream.range(0, arrays(identity.capacity()))
                .forEach(array -> kernel.delete(map, slot * SLOT_ARRAYS + array)));
  }

  /** Arrays of places in use or used before, from the first on; none of an evicting table. */
  int usedArrays(int slot) {
    byte[] read = kernel.read(pins.map("place_cursors"), map -> kernel.lookup(map, slot, 8));
    ByteBuffer cursor = ByteBuffer.wrap(read).order(ByteOrder.nativeOrder());
    return arrays(Math.min(cursor.getInt(0), cursor.getInt(4)));
  }

  /**
   * All places of one of a slot's arrays, {@link #PLACE_SIZE} bytes each; empty where it is gone.
   */
  Optional<ByteBuffer> places(int slot, int array) {
    return readInner(
        "places",
        slot * SLOT_ARRAYS + array,
        inner -> kernel.lookupBatch(inner, Optional.empty(), 4, PLACE_SIZE, PLACES).values());
  }

  /** Bytes of kernel memory that a slot's maps take; empty where it has none. */
  Optional<Long> memory(int slot, SlotIdentity identity) {
    Optional<Long> table = memory(tables(identity), slot);
    if (table.isEmpty() || identity.evicts()) {
      return table;
    }
    long places = memory("places", slot * SLOT_ARRAYS).orElse(0L) * arrays(identity.capacity());
    long rest = memory("hints", slot).orElse(0L) + memory("free_places", slot).orElse(0L);
    return Optional.of(table.get() + places + rest);
  }

  private Optional<Long> memory(String outer, int key) {
    return readInner(outer, key, kernel::memory);
  }

  private <T> Optional<T> readInner(String outer, int key, IntFunction<T> use) {
    return kernel
        .read(pins.map(outer), map -> kernel.openInner(map, key))
        .map(
            inner -> {
              try {
                return use.apply(inner);
              } finally {
                kernel.close(inner);
              }
            });
  }

  private static int arrays(int places) {
    return (places + PLACES - 1) / PLACES;
  }

  private static String tables(SlotIdentity identity) {
    return Pins.tables(identity.per(), identity.evicts());
  }

  private void put(String outer, int key, int inner) {
    byte[] value = ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(inner).array();
    with(outer, map -> kernel.update(map, key, value));
    kernel.close(inner);
  }

  private void with(String name, IntConsumer use) {
    kernel.use(pins.map(name), use);
  }
}

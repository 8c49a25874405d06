// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.slots;

import dev.tokenbucket.agent.kernel.KernelMaps;
import dev.tokenbucket.agent.layout.AdmissionLayout;
import dev.tokenbucket.agent.layout.BucketLayout;
import dev.tokenbucket.agent.layout.PlaceCursorLayout;
import dev.tokenbucket.agent.layout.PlaceLayout;
import dev.tokenbucket.agent.layout.PlaceLimit;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The maps of tables.h that hold a slot's buckets. */
public final class BucketTables {
  /** Bytes of a place's index: the value of a table's entry, of a hint and of a free place. */
  private static final int INDEX_SIZE = Integer.BYTES;

  /** The arrays of maps that hold tables, one per kind. */
  private static final List<String> TABLES =
      Stream.of(BucketPer.SourceIP, BucketPer.Flow)
          .flatMap(per -> Stream.of(Pins.tables(per, false), Pins.tables(per, true)))
          .toList();

  /** The pin of the hash map from keys to places or buckets. */
  private final KernelMaps kernel;

  private final Pins pins;

  public BucketTables(KernelMaps kernel, Pins pins) {
    this.kernel = kernel;
    this.pins = pins;
  }

  /** Bytes of an entry's value: an evicting table holds the bucket, others its place's index. */
  public static int entrySize(SlotIdentity identity) {
    return identity.evicts() ? BucketLayout.STRUCT.size() : INDEX_SIZE;
  }

  /** Creates the maps of a slot that has none, with every bucket full. */
  public void create(int slot, SlotIdentity identity) {
    Pins.makeFolder(pins.slot(slot));
    int keySize = Pins.keySize(identity.per());
    int capacity = identity.capacity();
    put(
        tables(identity),
        slot,
        pins.table(slot),
        kernel.createHash("buckets", keySize, entrySize(identity), capacity, identity.evicts()));
    if (identity.evicts()) {
      return;
    }
    put("hints", slot, hints(slot), kernel.createArray("hints", INDEX_SIZE, PlaceLimit.HINTS));
    put(
        "free_places",
        slot,
        freePlaces(slot),
        kernel.createQueue("free_places", INDEX_SIZE, capacity));
    for (int array = 0; array < arrays(capacity); array++) {
      put(
          "places",
          slot * PlaceLimit.SLOT_ARRAYS + array,
          pins.places(slot, array),
          kernel.createArray("places", PlaceLayout.STRUCT.size(), PlaceLimit.PLACES));
    }
    byte[] cursor =
        PlaceCursorLayout.STRUCT.encode(to -> PlaceCursorLayout.CAPACITY.putInt(to, capacity));
    with(PlaceCursorLayout.MAP, map -> kernel.update(map, slot, cursor));
    byte[] turnedNobodyAway = new byte[AdmissionLayout.STRUCT.size()];
    with(AdmissionLayout.MAP, map -> kernel.update(map, slot, turnedNobodyAway));
  }

  /** The slots with pinned maps: slots in use, and slots left by killed agents. */
  Set<Integer> pinned() {
    return Pins.entries(pins.slots()).stream()
        .map(each -> String.valueOf(each.getFileName()))
        .filter(name -> name.matches("[0-9]{1,9}"))
        .map(Integer::valueOf)
        .collect(Collectors.toSet());
  }

  /**
   * Releases a slot's maps, which no program may use any more. Handles every kind of table, because
   * a half-made table has no identity. The pins are removed last, since they show that something
   * remains.
   */
  public void remove(int slot) {
    if (!Files.exists(pins.slot(slot))) {
      return;
    }
    Stream.concat(TABLES.stream(), Stream.of("hints", "free_places"))
        .forEach(name -> with(name, map -> deleteHeld(map, slot)));
    with(
        "places",
        map ->
            IntStream.range(0, PlaceLimit.SLOT_ARRAYS)
                .forEach(array -> deleteHeld(map, slot * PlaceLimit.SLOT_ARRAYS + array)));
    Pins.remove(pins.slot(slot));
  }

  /** Checks first, because the kernel waits for programs after a deletion. */
  private void deleteHeld(int maps, int key) {
    if (kernel.innerId(maps, key).isPresent()) {
      kernel.delete(maps, key);
    }
  }

  /**
   * Number of arrays of places that are or were in use, counted from the first; 0 for an evicting
   * table.
   */
  public int usedArrays(int slot) {
    byte[] read =
        kernel.read(
            pins.map(PlaceCursorLayout.MAP),
            map -> kernel.lookup(map, slot, PlaceCursorLayout.STRUCT.size()));
    ByteBuffer cursor = ByteBuffer.wrap(read).order(ByteOrder.nativeOrder());
    return arrays(
        Math.min(PlaceCursorLayout.NEXT.getInt(cursor), PlaceCursorLayout.CAPACITY.getInt(cursor)));
  }

  /**
   * All places of one of a slot's arrays, as consecutive {@link PlaceLayout} structs; empty if the
   * array is gone.
   */
  public Optional<ByteBuffer> places(int slot, int array) {
    return readInner(
        "places",
        slot * PlaceLimit.SLOT_ARRAYS + array,
        pins.places(slot, array),
        inner ->
            kernel
                .lookupBatch(
                    inner,
                    Optional.empty(),
                    Integer.BYTES,
                    PlaceLayout.STRUCT.size(),
                    PlaceLimit.PLACES)
                .values());
  }

  /** Bytes of kernel memory that a slot's maps use; empty if the slot has no maps. */
  Optional<Long> memory(int slot, SlotIdentity identity) {
    Optional<Long> table = memory(tables(identity), slot, pins.table(slot));
    if (table.isEmpty() || identity.evicts()) {
      return table;
    }
    long array = memory("places", slot * PlaceLimit.SLOT_ARRAYS, pins.places(slot, 0)).orElse(0L);
    long rest =
        memory("hints", slot, hints(slot)).orElse(0L)
            + memory("free_places", slot, freePlaces(slot)).orElse(0L);
    return Optional.of(table.get() + array * arrays(identity.capacity()) + rest);
  }

  private Optional<Long> memory(String outer, int key, Path pin) {
    return readInner(outer, key, pin, kernel::memory);
  }

  /** Whether all of a slot's maps are pinned, and the pinned ones are those that programs use. */
  boolean isWhole(int slot, SlotIdentity identity) {
    if (!isPinned(tables(identity), slot, pins.table(slot))) {
      return false;
    }
    return identity.evicts()
        || (isPinned("hints", slot, hints(slot))
            && isPinned("free_places", slot, freePlaces(slot))
            && IntStream.range(0, arrays(identity.capacity()))
                .allMatch(
                    array ->
                        isPinned(
                            "places",
                            slot * PlaceLimit.SLOT_ARRAYS + array,
                            pins.places(slot, array))));
  }

  private boolean isPinned(String outer, int key, Path pin) {
    return readInner(outer, key, pin, inner -> true).orElse(false);
  }

  /**
   * Reads an inner map; empty if the array holds no map at this key, or another map than the pinned
   * one.
   */
  private <T> Optional<T> readInner(String outer, int key, Path pin, IntFunction<T> use) {
    Optional<Long> held = kernel.read(pins.map(outer), map -> kernel.innerId(map, key));
    if (held.isEmpty() || !Files.exists(pin)) {
      return Optional.empty();
    }
    return kernel.read(
        pin,
        inner ->
            held.get() == kernel.mapId(inner) ? Optional.of(use.apply(inner)) : Optional.empty());
  }

  private Path hints(int slot) {
    return pins.slot(slot).resolve("hints");
  }

  private Path freePlaces(int slot) {
    return pins.slot(slot).resolve("free_places");
  }

  private static int arrays(int places) {
    return (places + PlaceLimit.PLACES - 1) / PlaceLimit.PLACES;
  }

  private static String tables(SlotIdentity identity) {
    return Pins.tables(identity.per(), identity.evicts());
  }

  /** Pins the map first, so that the array never holds a map that cannot be opened. */
  private void put(String outer, int key, Path pin, int inner) {
    try {
      kernel.pin(inner, pin);
      byte[] value = ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(inner).array();
      with(outer, map -> kernel.update(map, key, value));
    } finally {
      kernel.close(inner);
    }
  }

  private void with(String name, IntConsumer use) {
    kernel.use(pins.map(name), use);
  }
}

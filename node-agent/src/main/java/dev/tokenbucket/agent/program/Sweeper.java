package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Removes buckets that have become full, so that idle addresses and flows hold no place: an expired
 * window equals no window. It lists candidates and lets sweep.bpf.c judge and remove them. Each
 * call looks at a bounded number of buckets and the next goes on from there; after a restart from
 * the beginning.
 */
final class Sweeper {
  /** {@code SWEEP_KEYS} of sweep.bpf.c. */
  private static final int KEYS = 512;

  private static final int KEY_STRIDE = 40;
  private static final int REQUEST_SIZE = 32;

  /** Elements asked for at a time; more than a hash map's bucket ever holds. */
  private static final int PART = 4096;

  private final Kernel kernel;
  private final Pins pins;
  private final Path object;
  private final Map<Integer, Place> places = new HashMap<>();

  /** How far the sweep of a slot's table is; of an identity, since slots change hands. */
  private record Place(SlotIdentity of, Optional<ByteBuffer> cursor) {}

  Sweeper(Kernel kernel, Pins pins, Path objects) {
    this.kernel = kernel;
    this.pins = pins;
    this.object = objects.resolve("sweep.bpf.o");
  }

  /**
   * Looks at the next buckets of a slot's table. Not of one in which the kernel makes room itself.
   *
   * @param parameters the slot of the parameters; another one where the table is that of a policy's
   *     second window
   * @param most how many, about
   * @param line the parameters
   * @param now CLOCK_MONOTONIC, in nanoseconds
   * @return how many were removed
   */
  int sweep(int slot, int parameters, SlotIdentity identity, AxisLine line, int most, long now) {
    boolean flows = identity.per() == BucketPer.Flow;
    int tables = kernel.open(pins.map(Pins.tables(identity.per(), false)));
    try {
      Optional<Integer> table = kernel.openInner(tables, slot);
      if (table.isEmpty()) {
        return 0;
      }
      try (Removal removal = new Removal(slot, parameters, flows, now)) {
        pass(slot, identity, table.get(), line, most, now, removal);
        return removal.flush();
      } finally {
        kernel.close(table.get());
      }
    } finally {
      kernel.close(tables);
    }
  }

  private void pass(
      int slot,
      SlotIdentity identity,
      int table,
      AxisLine line,
      int most,
      long now,
      Removal removal) {
    int keySize = Pins.keySize(identity.per());
    Place place = places.get(slot);
    Optional<ByteBuffer> cursor =
        place != null && place.of().equals(identity) ? place.cursor() : Optional.empty();
    int seen = 0;
    do {
      Kernel.Batch batch =
          kernel.lookupBatch(table, cursor, keySize, PolicySlots.BUCKET_SIZE, PART);
      for (int i = 0; i < batch.count(); i++) {
        if (isFull(line, batch.values().getLong(i * PolicySlots.BUCKET_SIZE), now)) {
          removal.add(batch.keys().slice(i * keySize, keySize));
        }
      }
      seen += batch.count();
      cursor = batch.next();
    } while (cursor.isPresent() && seen < most);
    places.put(slot, new Place(identity, cursor));
  }

  /** A guess: the program looks again. Positions ahead of V, and marks, are not full. */
  private static boolean isFull(AxisLine line, long pos, long now) {
    return line.valueAt(now) - pos >= line.burst() || (pos & 1) != 0;
  }

  /** Gathers keys and removes them some hundreds at a time. */
  private final class Removal implements AutoCloseable {
    private final ByteBuffer keys =
        ByteBuffer.allocate(KEYS * KEY_STRIDE).order(ByteOrder.nativeOrder());
    private final int slot;
    private final int parameters;
    private final boolean flows;
    private final long now;
    private Optional<Kernel.ProgramAndMap> loaded = Optional.empty();
    private int gathered;
    private int removed;

    Removal(int slot, int parameters, boolean flows, long now) {
      this.slot = slot;
      this.parameters = parameters;
      this.flows = flows;
      this.now = now;
    }

    void add(ByteBuffer key) {
      keys.position(gathered * KEY_STRIDE);
      keys.put(key);
      gathered++;
      if (gathered == KEYS) {
        flush();
      }
    }

    /** How many were removed in all. */
    int flush() {
      if (gathered > 0) {
        Kernel.ProgramAndMap sweep = loaded.orElseGet(this::load);
        loaded = Optional.of(sweep);
        keys.rewind();
        byte[] all = new byte[KEYS * KEY_STRIDE];
        keys.get(all);
        kernel.update(sweep.map(), 0, all);
        ByteBuffer request = ByteBuffer.allocate(REQUEST_SIZE).order(ByteOrder.nativeOrder());
        request.putInt(slot).putInt(parameters).putInt(gathered).putInt(flows ? 1 : 0).putLong(now);
        removed += Math.max(0, kernel.run(sweep.program(), request.array()));
        gathered = 0;
      }
      return removed;
    }

    private Kernel.ProgramAndMap load() {
      return kernel.loadWithMap(object, "sweep", pins.ofSweep(), "sweep_keys");
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

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.top;

import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.simulate.BucketKey;
import dev.tokenbucket.agent.simulate.TokenReading;
import dev.tokenbucket.agent.slots.AxisLine;
import dev.tokenbucket.agent.slots.BucketTables;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.agent.top.TopReport.KeyRates;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/** The table of one slot, read repeatedly. */
final class KeyTable {
  /** The most arrays of places that are read: a million keys. */
  private static final int MOST_ARRAYS = 64;

  /** The order of the report: limited keys first, then keys with the fewest tokens. */
  private static final Comparator<KeyRates> WORST =
      Comparator.<KeyRates, Boolean>comparing(each -> !each.limited())
          .thenComparingDouble(KeyRates::tokens)
          .thenComparing(KeyRates::key);

  private static final double SECOND = 1e9;

  private final int slot;
  private final SlotIdentity identity;
  private final BucketTables tables;
  private final List<Places> arrays = new ArrayList<>();

  /** The worst keys of the last reading. */
  private final PriorityQueue<KeyRates> worst = new PriorityQueue<>(WORST.reversed());

  private long keys;
  private long limited;

  KeyTable(BucketTables tables, int slot, SlotIdentity identity) {
    this.tables = tables;
    this.slot = slot;
    this.identity = identity;
  }

  boolean isOf(int otherSlot, SlotIdentity other) {
    return slot == otherSlot && identity.equals(other);
  }

  /**
   * Reads the table. For the fastest policies, a bucket's excess also changes when a packet
   * conforms, so it says nothing about limited keys.
   *
   * @param most how many keys to report
   */
  void look(AxisLine line, int most) {
    worst.clear();
    keys = 0;
    limited = 0;
    int used = Math.min(tables.usedArrays(slot), MOST_ARRAYS);
    for (int array = 0; array < used; array++) {
      if (array == arrays.size()) {
        arrays.add(new Places());
      }
      Places places = arrays.get(array);
      tables.places(slot, array).ifPresent(all -> look(places, all, line, most));
    }
  }

  private void look(Places places, ByteBuffer all, AxisLine line, int most) {
    long now = System.nanoTime();
    places.look(
        all,
        Pins.keySize(identity.per()),
        now,
        (key, position, exceeded, moved, nanos) -> {
          boolean isLimited = exceeded && line.idle() == 0;
          keys++;
          limited += isLimited ? 1 : 0;
          double tokens = TokenReading.tokens(identity.unit(), line, position, 0, now);
          if (isWorse(isLimited, tokens, most)) {
            worst.add(
                new KeyRates(
                    text(key), isLimited, tokens, spent(line, nanos, now, position, moved)));
          }
          if (worst.size() > most) {
            worst.poll();
          }
        });
  }

  /** Whether a key belongs in the report, as far as known. */
  private boolean isWorse(boolean isLimited, double tokens, int most) {
    KeyRates last = worst.peek();
    return worst.size() < most
        || last == null
        || (isLimited && !last.limited())
        || (isLimited == last.limited() && tokens < last.tokens());
  }

  private String text(ByteBuffer key) {
    return BucketKey.ofMap(identity.per(), key).text(BucketKey.Making.of(identity));
  }

  /**
   * The tokens spent per second. A bucket that was never full has moved only by the tokens spent.
   */
  private @Nullable Double spent(AxisLine line, long nanos, long now, long position, long moved) {
    long before = now - nanos;
    long held = line.valueAt(before) - (position - moved);
    long granted = line.valueAt(now) - line.valueAt(before);
    boolean known = moved >= 0 && held + granted <= line.window();
    return known ? TokenReading.inTokens(identity.unit(), moved) / (nanos / SECOND) : null;
  }

  long keys() {
    return keys;
  }

  long limited() {
    return limited;
  }

  List<KeyRates> worst() {
    return worst.stream().sorted(WORST).toList();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

import dev.tokenbucket.agent.model.Memory.Slot;
import dev.tokenbucket.agent.model.Table.Place;
import java.util.function.Supplier;

/**
 * The removal of a place's key if its bucket is full, {@code table_remove} of tables.h: by a sweep,
 * or by a packet that needs the place.
 */
final class Removal {
  private final Memory memory;
  private final Place place;
  private final Supplier<Step> removed;
  private final Supplier<Step> kept;

  private long pos;
  private int first;
  private int last;
  private long moment;

  /**
   * @param removed what follows once the place belongs to the caller
   * @param kept what follows if the key stays
   */
  Removal(Memory memory, Place place, Supplier<Step> removed, Supplier<Step> kept) {
    this.memory = memory;
    this.place = place;
    this.removed = removed;
    this.kept = kept;
  }

  Step readPosition() {
    pos = place.bucket.pos;
    return this::readFirstWord;
  }

  private Step readFirstWord() {
    first = place.first;
    return this::readLastWord;
  }

  private Step readLastWord() {
    last = place.last;
    return last == 0 ? kept.get() : this::readClock;
  }

  private Step readClock() {
    moment = memory.now;
    return new LineInForce(memory, moment, this::checkFull)::readActive;
  }

  private Step checkFull(int line) {
    Slot slot = memory.slots[line];
    long held = memory.value(slot.axis, moment) - pos;
    boolean full = !Windows.isAhead(held) && Long.compareUnsigned(held, slot.window.burst()) >= 0;
    if (!full || (pos & 1) != 0) {
      return kept.get();
    }
    return memory.has(Safeguard.MARK) ? this::mark : this::delete;
  }

  private Step mark() {
    long mark = (pos | 1) + (1L << 62);
    return place.bucket.swap(pos, mark, true) ? this::delete : kept.get();
  }

  private Step delete() {
    memory.table.delete(first, last);
    memory.ledger.removed();
    return memory.has(Safeguard.KEY_INVALID_WHEN_FREE) ? this::zeroLastWord : removed.get();
  }

  private Step zeroLastWord() {
    place.last = 0;
    return removed.get();
  }
}

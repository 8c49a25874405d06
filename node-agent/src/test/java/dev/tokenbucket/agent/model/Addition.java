// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

import dev.tokenbucket.agent.model.Table.Place;
import java.util.OptionalInt;
import java.util.function.Supplier;

/**
 * A key that has no entry gets one, {@code table_add} of tables.h: with a bucket that is full at
 * this reading of the clock, in a free place, or in one that a full bucket had. Of several CPUs
 * with the key's first packets one makes the entry.
 */
final class Addition {
  private final Memory memory;
  private final Table table;
  private final Choices choices;
  private final Key key;
  private final Supplier<Step> then;

  private int taken;
  private Place place;
  private long read;
  private int index;
  private long base;

  Addition(Memory memory, Choices choices, Key key, Supplier<Step> then) {
    this.memory = memory;
    this.table = memory.table;
    this.choices = choices;
    this.key = key;
    this.then = then;
    place = table.at(0);
  }

  Step takePlace() {
    OptionalInt free = table.take(choices);
    taken = free.orElseGet(() -> choices.below(table.size()));
    place = table.at(taken);
    return free.isPresent()
        ? this::readClock
        : new Removal(memory, place, () -> this::makeRoom, then)::readPosition;
  }

  private Step makeRoom() {
    table.free(taken);
    return this::takePlace;
  }

  private Step readClock() {
    read = memory.now;
    return new LineInForce(memory, read, this::readLine)::readActive;
  }

  private Step readLine(int line) {
    index = line;
    return this::readAxis;
  }

  private Step readAxis() {
    base = memory.value(memory.slots[index].axis, read);
    return this::readWindow;
  }

  private Step readWindow() {
    base -= memory.width(memory.slots[index].window);
    return this::writePosition;
  }

  private Step writePosition() {
    place.bucket.pos = base;
    return this::writeLimit;
  }

  private Step writeLimit() {
    place.bucket.lim = base;
    return this::writeFirstWord;
  }

  private Step writeFirstWord() {
    place.first = key.first();
    return memory.has(Safeguard.KEY_VALID_WITH_ENTRY) ? this::insert : this::writeLastWordEarly;
  }

  private Step writeLastWordEarly() {
    place.last = key.last();
    return this::insert;
  }

  private Step insert() {
    if (!table.insert(key, taken)) {
      return this::freePlace;
    }
    memory.ledger.forgot();
    return this::writeLastWord;
  }

  private Step freePlace() {
    table.free(taken);
    return then.get();
  }

  private Step writeLastWord() {
    place.last = key.last();
    return then.get();
  }
}

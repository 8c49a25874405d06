// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

import static dev.tokenbucket.agent.model.Line.PACKET;

import dev.tokenbucket.agent.model.Line.Axis;
import dev.tokenbucket.agent.model.Line.Window;
import dev.tokenbucket.agent.model.Memory.Bucket;
import dev.tokenbucket.agent.model.Table.Place;

/**
 * A packet and its key's bucket, {@code table_judge} of tables.h and {@code bucket_try} of
 * token_bucket.h: each method is a step, written in the order in which they happen.
 *
 * <p>The bucket is {pos, lim}. Up to {@code lim} tokens are prepaid, and {@code pos} goes there by
 * compare-and-swap alone. Beyond, V(now) - pos is what the bucket holds, and a packet that conforms
 * prepays what follows it: up to a batch, and never beyond V. A packet that reads the clock takes
 * effect at that reading, any other at its compare-and-swap; an unchanged {@code pos} proves that
 * nothing has happened since, and that the bucket is still the key's.
 */
final class KeyedPacket {
  private static final int TRIES = 16;

  private final Memory memory;
  private final Table table;
  private final Choices choices;
  private final Key key;
  private final long cost;

  /** Whose tokens are spent: the key's, or those that all share who have no bucket. */
  private String account;

  private Bucket bucket;
  private Place place;
  private Table.Entry entry;
  private int found;
  private boolean hasKey;
  private int tries = TRIES;
  private int looks;
  private long pos;
  private long lim;
  private int index;
  private Ledger.Moment read;
  private Axis axis;
  private Window window;
  private long base;

  KeyedPacket(Memory memory, Choices choices, Key key, long cost) {
    this.memory = memory;
    this.table = memory.table;
    this.choices = choices;
    this.key = key;
    this.cost = cost;
    account = key.name();
    place = table.at(0);
    bucket = place.bucket;
    entry = new Table.Entry();
    read = memory.ledger.at(memory.now);
    axis = memory.slots[0].axis;
    window = memory.slots[0].window;
  }

  // The place: the hint's where it is the key's, else the entry's.

  Step readHint() {
    place = table.at(table.hint);
    return tryOnce();
  }

  private Step lookUp() {
    return table
        .find(key)
        .map(this::take)
        .orElse(new Addition(memory, choices, key, () -> this::lookUpAdded)::takePlace);
  }

  private Step lookUpAdded() {
    return table.find(key).map(this::take).orElseGet(this::overflow);
  }

  private Step take(Table.Entry of) {
    entry = of;
    return this::readEntry;
  }

  private Step readEntry() {
    found = entry.place;
    place = table.at(found);
    looks = TRIES;
    return this::awaitKey;
  }

  /** Who makes an entry makes the key valid right after. */
  private Step awaitKey() {
    boolean valid = place.first == key.first() && place.last == key.last();
    if (!valid) {
      return looks-- == 0 ? overflow() : this::awaitKey;
    }
    return this::writeHint;
  }

  private Step writeHint() {
    table.hint = found;
    return tryOnce();
  }

  /** By the bucket of those that have none. */
  private Step overflow() {
    account = Memory.SHARED;
    bucket = memory.shared;
    tries = TRIES;
    return tryOnce();
  }

  private boolean isShared() {
    return bucket == memory.shared;
  }

  // One try. What is prepaid needs no clock.

  private Step tryOnce() {
    if (tries-- == 0) {
      return Step.END;
    }
    if (!isShared()) {
      bucket = place.bucket;
      if (!memory.has(Safeguard.KEY_AFTER_POSITION)) {
        return this::readFirstWord;
      }
    }
    return beginInOrder();
  }

  private Step beginInOrder() {
    return inOrder() ? this::readPosition : this::readIndex;
  }

  private boolean inOrder() {
    return memory.has(Safeguard.POSITION_BEFORE_PARAMETERS);
  }

  private Step readPosition() {
    pos = bucket.pos;
    return isShared() || !memory.has(Safeguard.KEY_AFTER_POSITION)
        ? this::readLimit
        : this::readFirstWord;
  }

  private Step readFirstWord() {
    hasKey = place.first == key.first();
    return this::readLastWord;
  }

  private Step readLastWord() {
    hasKey &= place.last == key.last();
    if (!hasKey) {
      return this::lookUp;
    }
    return memory.has(Safeguard.KEY_AFTER_POSITION) ? this::readLimit : beginInOrder();
  }

  private Step readLimit() {
    lim = bucket.lim;
    return inOrder() ? this::readIndex : this::readBatch;
  }

  private Step readIndex() {
    index = memory.active & 1;
    read = memory.ledger.at(memory.now);
    return inOrder() ? this::readBatch : this::readPosition;
  }

  private Step readBatch() {
    return isPrepaid(memory.slots[index].window.batch()) ? this::swapPrepaid : this::lookForMark;
  }

  private boolean isPrepaid(long batch) {
    long prepaid = lim - pos;
    boolean unbounded =
        !memory.has(Safeguard.PREPAID_HELD_TO_LINE) || !memory.has(Safeguard.LIMIT_WITHIN_BATCH);
    return prepaid >= cost && (unbounded || prepaid <= batch - PACKET);
  }

  private Step swapPrepaid() {
    if (!swap(pos + cost)) {
      return tryOnce();
    }
    memory.ledger.conform(account, read, memory.ledger.at(memory.now), cost);
    return Step.END;
  }

  private boolean swap(long to) {
    return bucket.swap(pos, to, memory.has(Safeguard.COMPARE_AND_SWAP));
  }

  private Step lookForMark() {
    if ((pos & 1) != 0) {
      return overflow();
    }
    return memory.has(Safeguard.CLOCK_BEFORE_PARAMETERS) ? this::readClock : this::readIndexFirst;
  }

  // Without prepaid tokens: clock, then parameters, then the three cases of the window.

  private Step readClock() {
    read = memory.ledger.at(memory.now);
    return new LineInForce(memory, read.time(), this::takeLine)::readActive;
  }

  private Step takeLine(int line) {
    index = line;
    return this::readAxis;
  }

  private Step readIndexFirst() {
    index = memory.active & 1;
    return this::readClockLast;
  }

  private Step readClockLast() {
    read = memory.ledger.at(memory.now);
    return this::readAxis;
  }

  private Step readAxis() {
    axis = memory.slots[index].axis;
    return this::readWindow;
  }

  private Step readWindow() {
    window = memory.slots[index].window;
    long v = memory.value(axis, read.time());
    long held = v - pos;
    long width = memory.width(window);
    if (Windows.isAhead(held) || Long.compareUnsigned(held, Math.min(cost, width)) < 0) {
      memory.ledger.exceed(account, read, cost);
      return Step.END;
    }
    base = Windows.isRightOf(held, width) ? v - width : pos;
    return this::swapPosition;
  }

  private Step swapPosition() {
    if (!swap(base + cost)) {
      return tryOnce();
    }
    memory.ledger.conform(account, read, cost, window.burst(), memory.width(window));
    if (base != pos) {
      memory.ledger.forgot();
    }
    return this::writeLimit;
  }

  private Step writeLimit() {
    bucket.lim = limit(memory.value(axis, read.time()), base + window.batch());
    return Step.END;
  }

  private long limit(long v, long batchEnd) {
    if (!memory.has(Safeguard.LIMIT_WITHIN_GRANT)) {
      return batchEnd;
    }
    if (!memory.has(Safeguard.LIMIT_WITHIN_BATCH)) {
      return v;
    }
    return v - batchEnd < 0 ? v : batchEnd;
  }
}

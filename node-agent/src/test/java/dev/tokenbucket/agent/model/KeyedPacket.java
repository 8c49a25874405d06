package dev.tokenbucket.agent.model;

import static dev.tokenbucket.agent.model.Line.PACKET;

import dev.tokenbucket.agent.model.Line.Axis;
import dev.tokenbucket.agent.model.Line.Window;
import dev.tokenbucket.agent.model.Memory.Bucket;
import java.util.Optional;

/**
 * A packet and its key's bucket, {@code bucket_judge} of token_bucket.h: each method is a step,
 * written in the order in which they happen.
 *
 * <p>The bucket is {pos, lim}. Up to {@code lim} tokens are prepaid, and {@code pos} goes there by
 * compare-and-swap alone. Beyond, V(now) - pos is what the bucket holds, and a packet that conforms
 * prepays what follows it: up to a batch, and never beyond V. A packet that reads the clock takes
 * effect at that reading, any other at its compare-and-swap; an unchanged {@code pos} proves that
 * nothing has happened since.
 */
final class KeyedPacket {
  private static final int TRIES = 16;

  private final Memory memory;
  private final Choices choices;
  private final long cost;

  private final Step allocate = this::allocate;

  private Bucket bucket;
  private int tries;
  private long pos;
  private long lim;
  private int index;
  private Ledger.Moment read;
  private Axis axis;
  private Window window;
  private long base;

  KeyedPacket(Memory memory, Choices choices, long cost) {
    this.memory = memory;
    this.choices = choices;
    this.cost = cost;
    bucket = memory.shared;
    read = memory.ledger.at(memory.now);
    axis = memory.slots[0].axis;
    window = memory.slots[0].window;
  }

  Step lookUp() {
    return memory.find().map(this::judge).orElse(this::readClockToInsert);
  }

  // A key without a bucket: one is made that is full at this reading of the clock.

  private Step readClockToInsert() {
    read = memory.ledger.at(memory.now);
    return new LineInForce(memory, read.time(), this::takeLineToInsert)::readActive;
  }

  private Step takeLineToInsert(int line) {
    index = line;
    return this::readAxisToInsert;
  }

  private Step readAxisToInsert() {
    axis = memory.slots[index].axis;
    return this::readWindowToInsert;
  }

  private Step readWindowToInsert() {
    window = memory.slots[index].window;
    return allocate;
  }

  private Step allocate() {
    if (memory.isLocked()) {
      return allocate;
    }
    Optional<Bucket> element = memory.allocate(choices);
    if (element.isEmpty()) {
      return this::lookUpAgain;
    }
    bucket = element.get();
    return this::writeNewPosition;
  }

  private Step writeNewPosition() {
    base = memory.value(axis, read.time()) - width();
    bucket.pos = base;
    return this::writeNewLimit;
  }

  private Step writeNewLimit() {
    bucket.lim = base;
    return this::link;
  }

  private Step link() {
    memory.link();
    memory.ledger.forgot();
    return this::lookUpAgain;
  }

  private Step lookUpAgain() {
    return judge(memory.find().orElse(memory.shared));
  }

  private Step judge(Bucket found) {
    bucket = found;
    tries = TRIES;
    return tryOnce();
  }

  // One try. What is prepaid needs no clock.

  private Step tryOnce() {
    if (tries-- == 0) {
      return Step.END;
    }
    return inOrder() ? this::readPosition : this::readIndex;
  }

  private boolean inOrder() {
    return memory.has(Safeguard.POSITION_BEFORE_PARAMETERS);
  }

  private Step readPosition() {
    pos = bucket.pos;
    return this::readLimit;
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
    memory.ledger.conform(bucket.name, read, memory.ledger.at(memory.now), cost);
    return Step.END;
  }

  private boolean swap(long to) {
    return bucket.swap(pos, to, memory.has(Safeguard.COMPARE_AND_SWAP));
  }

  private Step lookForMark() {
    if ((pos & 1) != 0) {
      return judge(memory.shared);
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
    if (Windows.isAhead(held) || Long.compareUnsigned(held, Math.min(cost, width())) < 0) {
      memory.ledger.exceed(bucket.name, read, cost);
      return Step.END;
    }
    base = Windows.isRightOf(held, width()) ? v - width() : pos;
    return this::swapPosition;
  }

  private long width() {
    boolean narrowed = memory.has(Safeguard.WINDOW_NARROWED);
    return window.burst() - (narrowed ? window.batch() - PACKET : 0);
  }

  private Step swapPosition() {
    if (!swap(base + cost)) {
      return tryOnce();
    }
    memory.ledger.conform(bucket.name, read, cost, window.burst(), width());
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

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

import dev.tokenbucket.agent.model.Line.Axis;
import dev.tokenbucket.agent.model.Line.Window;
import dev.tokenbucket.agent.model.Memory.Bucket;

/**
 * A packet and the bucket that all CPUs share, with a reservation a CPU: tokens that a CPU has paid
 * from the shared position in advance, and spends without clock and without atomics. Programs on
 * one CPU don't come between each other, so what is held is nobody else's.
 *
 * <p>A packet that reads the clock takes effect at that reading, any other at its reading of the
 * parameters: nothing can happen to what its CPU holds in between.
 */
final class ReservingPacket {
  private static final int TRIES = 16;

  private final Memory memory;
  private final int cpu;
  private final long cost;
  private final Bucket bucket;

  private int tries = TRIES;
  private int index;
  private Ledger.Moment read;
  private Axis axis;
  private Window window;
  private long pos;
  private long due;
  private long extra;
  private long base;

  ReservingPacket(Memory memory, int cpu, long cost) {
    this.memory = memory;
    this.cpu = cpu;
    this.cost = cost;
    bucket = memory.shared;
    read = memory.ledger.at(memory.now);
    axis = memory.slots[0].axis;
    window = memory.slots[0].window;
  }

  Step readIndex() {
    index = memory.active & 1;
    read = memory.ledger.at(memory.now);
    return this::readReserve;
  }

  private Step readReserve() {
    window = memory.slots[index].window;
    return usable() >= cost ? this::spendHeld : this::readPosition;
  }

  /** What is held of a larger B counts as nothing. */
  private long usable() {
    long held = memory.held[cpu];
    boolean outlives = !memory.has(Safeguard.RESERVATION_HELD_TO_LINE);
    return held <= window.reserve() || outlives ? held : 0;
  }

  private Step spendHeld() {
    memory.held[cpu] -= cost;
    memory.ledger.conform(Memory.SHARED, read, read, cost);
    return Step.END;
  }

  // One try.

  private Step readPosition() {
    if (tries-- == 0) {
      return Step.END;
    }
    pos = bucket.pos;
    return this::readClock;
  }

  private Step readClock() {
    read = memory.ledger.at(memory.now);
    return new LineInForce(memory, read.time(), this::takeLine)::readActive;
  }

  private Step takeLine(int line) {
    index = line;
    return this::readAxis;
  }

  private Step readAxis() {
    axis = memory.slots[index].axis;
    return this::readWindow;
  }

  private Step readWindow() {
    window = memory.slots[index].window;
    if (usable() >= cost) {
      return this::spendHeld;
    }
    due = cost - usable();
    long v = memory.value(axis, read.time());
    long held = v - pos;
    if (Windows.isAhead(held) || Long.compareUnsigned(held, Math.min(due, width())) < 0) {
      memory.ledger.exceed(Memory.SHARED, read, cost);
      return Step.END;
    }
    base = Windows.isRightOf(held, width()) ? v - width() : pos;
    extra = Math.max(0, Math.min(window.reserve(), v - base - due));
    return this::swapPosition;
  }

  private long width() {
    boolean narrowed = memory.has(Safeguard.WINDOW_NARROWED_BY_RESERVATIONS);
    return window.burst() - (narrowed ? memory.cpus * window.reserve() : 0);
  }

  private Step swapPosition() {
    if (!bucket.swap(pos, base + due + extra, memory.has(Safeguard.COMPARE_AND_SWAP))) {
      return this::readPosition;
    }
    memory.ledger.conform(Memory.SHARED, read, cost, window.burst(), usable() + width());
    if (base != pos || usable() != memory.held[cpu]) {
      memory.ledger.forgot();
    }
    memory.held[cpu] = extra;
    return Step.END;
  }
}

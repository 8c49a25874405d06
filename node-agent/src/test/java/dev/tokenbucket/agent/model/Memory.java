// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

import static dev.tokenbucket.agent.model.Line.PACKET;

import dev.tokenbucket.agent.model.Line.Axis;
import dev.tokenbucket.agent.model.Line.Window;
import java.util.EnumSet;
import java.util.Set;

/** What the CPUs and the agent share, and the clock. */
final class Memory {
  /** Positions are even; an odd one is the mark. */
  static final class Bucket {
    long pos;
    long lim;

    boolean swap(long old, long next, boolean compare) {
      if (compare && pos != old) {
        return false;
      }
      pos = next;
      return true;
    }
  }

  /** One of the two slots of parameters; its parts are written and read one after the other. */
  static final class Slot {
    Axis axis;
    Window window;

    Slot(Line line) {
      axis = line.axis();
      window = line.window();
    }
  }

  /** Whose tokens the shared bucket holds. */
  static final String SHARED = "shared";

  static final long START = 1_000_000_000_000L;

  /** In {@link #active}: the other slot is proposed. */
  static final int PROPOSED = 2;

  /** Further than any burst, so that a zeroed bucket is full. */
  static final long V_START = 1L << 60;

  final int cpus;
  final Ledger ledger;
  final Slot[] slots;
  final Table table;
  final Bucket shared = new Bucket();
  final long[] held;

  /** Packets begun and ended a CPU: what a grace period waits for. */
  final long[] begun;

  final long[] ended;

  /** Index of the slot in force, and {@link #PROPOSED}. */
  int active;

  long now = START;

  private final Set<Safeguard> without;

  /**
   * @param places of buckets, in the table
   */
  Memory(int cpus, int places, Line first, Set<Safeguard> without) {
    this.cpus = cpus;
    table = new Table(places);
    this.without = without.isEmpty() ? EnumSet.noneOf(Safeguard.class) : EnumSet.copyOf(without);
    ledger = new Ledger(first);
    slots = new Slot[] {new Slot(first), new Slot(first)};
    held = new long[cpus];
    begun = new long[cpus];
    ended = new long[cpus];
  }

  boolean has(Safeguard safeguard) {
    return !without.contains(safeguard);
  }

  /** By compare-and-swap; what it was. */
  int swapActive(int old, int next) {
    int was = active;
    active = was == old ? next : was;
    return was;
  }

  Line inForce() {
    return new Line(slots[active & 1].axis, slots[active & 1].window);
  }

  long value(Axis axis, long at) {
    return axis.valueAt(at, has(Safeguard.SIGNED_TIME));
  }

  /** W: B less what may be prepaid. */
  long width(Window window) {
    return window.burst() - (has(Safeguard.WINDOW_NARROWED) ? window.batch() - PACKET : 0);
  }
}

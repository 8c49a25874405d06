package dev.tokenbucket.agent.model;

import dev.tokenbucket.agent.model.Line.Axis;
import dev.tokenbucket.agent.model.Line.Window;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What the CPUs and the agent share, and the clock. */
final class Memory {
  /** An element of the table of buckets. Positions are even; an odd one is the mark. */
  static final class Bucket {
    final String name;
    long pos;
    long lim;

    Bucket(String name) {
      this.name = name;
    }

    boolean isMarked() {
      return (pos & 1) != 0;
    }

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

  static final long START = 1_000_000_000_000L;

  /** In {@link #active}: the other slot is proposed. */
  static final int PROPOSED = 2;

  /** Further than any burst, so that a zeroed bucket is full. */
  static final long V_START = 1L << 60;

  final int cpus;
  final Ledger ledger;
  final Slot[] slots;
  final Bucket shared = new Bucket("shared");
  final long[] held;

  /** Packets begun and ended a CPU: what a grace period waits for. */
  final long[] begun;

  final long[] ended;

  /** Index of the slot in force, and {@link #PROPOSED}. */
  int active;

  long now = START;

  private final Set<Safeguard> without;
  private final List<Bucket> free = new ArrayList<>();
  private Optional<Bucket> linked = Optional.empty();
  private Optional<Bucket> inserting = Optional.empty();

  Memory(int cpus, Line first, Set<Safeguard> without) {
    this.cpus = cpus;
    this.without = without.isEmpty() ? EnumSet.noneOf(Safeguard.class) : EnumSet.copyOf(without);
    ledger = new Ledger(first);
    slots = new Slot[] {new Slot(first), new Slot(first)};
    held = new long[cpus];
    begun = new long[cpus];
    ended = new long[cpus];
    free.add(new Bucket("key"));
    free.add(new Bucket("key"));
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

  /** Look-up of the one key that the model has. */
  Optional<Bucket> find() {
    return linked;
  }

  /** The table's lock is taken by whoever inserts, until the new element is linked. */
  boolean isLocked() {
    return inserting.isPresent();
  }

  /**
   * A free element for the key; none where the key is there already. Elements are reused at once.
   */
  Optional<Bucket> allocate(Choices choices) {
    if (linked.isEmpty()) {
      inserting = Optional.of(free.remove(choices.below(free.size())));
    }
    return inserting;
  }

  void link() {
    linked = inserting;
    inserting = Optional.empty();
  }

  void delete() {
    linked.ifPresent(free::add);
    ledger.removed();
    linked = Optional.empty();
  }
}

package dev.tokenbucket.testing.bench;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A loaded program that is measured, and what it is to say of every packet.
 *
 * @param counted what the program itself has counted so far; absent where it counts nothing
 */
record Subject(String name, int program, Expected expected, @Nullable Supplier<Counted> counted) {
  /** What becomes of a packet. */
  enum Expected {
    CONFORM,
    EXCEED
  }

  /** Packets by verdict. */
  record Counted(long conform, long exceed) {
    static final Counted NOTHING = new Counted(0, 0);

    Counted since(Counted before) {
      return new Counted(conform - before.conform, exceed - before.exceed);
    }

    long packets() {
      return conform + exceed;
    }
  }

  /** One that counts nothing and lets everything pass. */
  static Subject uncounted(String name, int program) {
    return new Subject(name, program, Expected.CONFORM, null);
  }

  /** What the program has counted; nothing where it does not count. */
  Counted count() {
    return counted == null ? Counted.NOTHING : counted.get();
  }
}

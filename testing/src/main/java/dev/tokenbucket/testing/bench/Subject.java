// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A measured program, and the verdict that it must give for every packet.
 *
 * @param counted the program's own counters so far; absent if it counts nothing
 */
record Subject(String name, int program, Expected expected, @Nullable Supplier<Counted> counted) {
  /** The verdict on a packet. */
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

  /** A program that counts nothing and lets every packet pass. */
  static Subject uncounted(String name, int program) {
    return new Subject(name, program, Expected.CONFORM, null);
  }

  /** The program's own counters; zero if it does not count. */
  Counted count() {
    return counted == null ? Counted.NOTHING : counted.get();
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.match;

import dev.tokenbucket.agent.kernel.MapContents;
import dev.tokenbucket.agent.kernel.MapContents.Element;
import dev.tokenbucket.agent.layout.NumberClassesLayout;
import dev.tokenbucket.agent.layout.TermSetLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntUnaryOperator;

/** Sets of terms in the form of the maps of match.h. */
final class TermMaps {
  static final int SET_SIZE = TermSetLayout.STRUCT.size();

  private TermMaps() {}

  /** A map for a field whose value is the index. */
  static MapContents indexed(String map, List<BitSet> sets) {
    List<Element> elements = new ArrayList<>();
    for (int i = 0; i < sets.size(); i++) {
      elements.add(new Element(key(i), ByteBuffer.wrap(encode(sets.get(i)))));
    }
    return new MapContents(map, Math.max(1, sets.size()), SET_SIZE, elements);
  }

  /** The maps for a field with classes: the class of each value, and the terms of each class. */
  static List<MapContents> classified(String prefix, ByteBuffer classes, List<BitSet> sets) {
    return List.of(
        new MapContents(
            prefix + "_classes", 1, classes.remaining(), List.of(new Element(key(0), classes))),
        indexed(prefix + "_terms", sets));
  }

  /** The maps for a 16-bit number. */
  static List<MapContents> classified(String prefix, NumberSets.Classes classes) {
    ByteBuffer table = NumberClassesLayout.STRUCT.allocate();
    putClasses(table, 0, classes.ofNumber()::get);
    return classified(prefix, table, classes.sets());
  }

  /** The maps for a field that no term asks for. */
  static List<MapContents> unasked(String prefix) {
    return List.of(
        new MapContents(prefix + "_classes", 1, 8, List.of()),
        indexed(prefix + "_terms", List.of()));
  }

  /** Writes the class of each 16-bit number, from the {@code begin}th on. */
  static void putClasses(ByteBuffer table, int begin, IntUnaryOperator classOf) {
    for (int number = 0; number < NumberSets.NUMBERS; number++) {
      table.putShort(2 * (begin + networkOrder(number)), (short) classOf.applyAsInt(number));
    }
  }

  /** A 16-bit number as the host reads it from a packet. */
  private static int networkOrder(int number) {
    boolean swaps = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
    return swaps ? (number & 0xff) << 8 | number >> 8 : number;
  }

  private static ByteBuffer key(int key) {
    return ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(key).rewind();
  }

  /** {@code struct term_set}: words in the host's byte order. */
  static byte[] encode(BitSet set) {
    return TermSetLayout.STRUCT.encode(
        to -> TermSetLayout.WORD.in(to).asLongBuffer().put(set.toLongArray()));
  }
}

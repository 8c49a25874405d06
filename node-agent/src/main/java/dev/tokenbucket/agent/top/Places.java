// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.top;

import dev.tokenbucket.agent.layout.BucketLayout;
import dev.tokenbucket.agent.layout.Field;
import dev.tokenbucket.agent.layout.PlaceLayout;
import dev.tokenbucket.agent.layout.PlaceLimit;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The places of one array of a table at one moment, without their keys: 20 bytes each, because
 * there may be millions.
 */
final class Places {
  private static final Field EXCESS = BucketLayout.STRUCT.field("excess");

  private final long[] positions = new long[PlaceLimit.PLACES];
  private final long[] excesses = new long[PlaceLimit.PLACES];
  private final int[] keys = new int[PlaceLimit.PLACES];
  private long readAt;

  /** Receives each place in use. */
  @FunctionalInterface
  interface Visitor {
    /**
     * A key and its bucket.
     *
     * @param key as in the map; valid only during this call
     * @param exceeded whether a packet was found to exceed since the previous reading of the same
     *     key
     * @param moved units of the axis since then; negative if the key is new
     * @param nanos since then
     */
    void visit(ByteBuffer key, long position, boolean exceeded, long moved, long nanos);
  }

  /**
   * Reads the places again.
   *
   * @param array all places, as in the map
   * @param now the time of the reading, of CLOCK_MONOTONIC
   */
  void look(ByteBuffer array, int keySize, long now, Visitor visitor) {
    long nanos = now - readAt;
    readAt = now;
    ByteBuffer all = array.order(ByteOrder.nativeOrder());
    for (int i = 0; i < PlaceLimit.PLACES; i++) {
      int at = i * PlaceLayout.STRUCT.size();
      int key = at + PlaceLayout.KEY.offset();
      long position = all.getLong(at + BucketLayout.POS.offset());
      // The last word of a key is set once the place belongs to the key; a bucket at an odd
      // position is being removed.
      boolean used = all.getLong(key + keySize - Long.BYTES) != 0 && (position & 1) == 0;
      int hash = used ? hash(all, key, keySize) : 0;
      long excess = all.getLong(at + EXCESS.offset());
      if (used) {
        boolean known = keys[i] == hash;
        visitor.visit(
            all.slice(key, keySize),
            position,
            known && excesses[i] != excess,
            known ? position - positions[i] : -1,
            nanos);
      }
      keys[i] = hash;
      positions[i] = position;
      excesses[i] = excess;
    }
  }

  /** A key's hash, never 0, which stands for no key. */
  private static int hash(ByteBuffer all, int at, int size) {
    long hash = 1;
    for (int i = 0; i < size; i += Long.BYTES) {
      hash = hash * 0x9e3779b97f4a7c15L + all.getLong(at + i);
    }
    return (int) (hash ^ hash >>> 32) | 1;
  }
}

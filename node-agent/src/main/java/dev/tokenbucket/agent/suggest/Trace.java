// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.suggest;

import java.util.Arrays;

/**
 * Packets in the order of a capture, reduced to the values that a limit depends on: 16 bytes each,
 * because there may be millions.
 */
public final class Trace {
  /** The most packets kept: 16 MB. */
  public static final int MOST_PACKETS = 1_000_000;

  private static final int FEW = 1 << 14;

  private long[] nanos = new long[FEW];
  private int[] keys = new int[FEW];
  private int[] costs = new int[FEW];
  private int size;
  private int keyCount;

  /**
   * Appends a packet.
   *
   * @param at nanoseconds since the first packet
   * @param key a number from 0; a new key gets the number of keys before it
   * @param cost the packet's tokens: 1, or its bytes
   * @return false if there is no room for more
   */
  public boolean add(long at, int key, int cost) {
    if (size == MOST_PACKETS) {
      return false;
    }
    if (size == nanos.length) {
      int room = Math.min(MOST_PACKETS, 2 * size);
      nanos = Arrays.copyOf(nanos, room);
      keys = Arrays.copyOf(keys, room);
      costs = Arrays.copyOf(costs, room);
    }
    nanos[size] = at;
    keys[size] = key;
    costs[size] = cost;
    size++;
    keyCount = Math.max(keyCount, key + 1);
    return true;
  }

  public int size() {
    return size;
  }

  public int keyCount() {
    return keyCount;
  }

  /** Nanoseconds from the first packet to the last. */
  public long duration() {
    return size == 0 ? 0 : nanos[size - 1] - nanos[0];
  }

  long nanos(int packet) {
    return nanos[packet];
  }

  int key(int packet) {
    return keys[packet];
  }

  int cost(int packet) {
    return costs[packet];
  }

  /** The index of the first packet at least {@code after} nanoseconds after the beginning. */
  int from(long after) {
    int packet = 0;
    while (packet < size && nanos[packet] - nanos[0] < after) {
      packet++;
    }
    return packet;
  }
}

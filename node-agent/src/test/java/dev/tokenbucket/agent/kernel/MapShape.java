// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.nio.ByteBuffer;

/**
 * What a map looks like from outside.
 *
 * @param type BPF_MAP_TYPE_* of linux/bpf.h
 * @param keySize bytes
 * @param valueSize bytes
 */
public record MapShape(int type, int keySize, int valueSize, int entries) {
  /** Bytes of struct bpf_map_info. */
  private static final int INFO_SIZE = 80;

  /** Of a map, by its descriptor. */
  public static MapShape of(int map) {
    ByteBuffer info = new NativeCalls().info(map, INFO_SIZE);
    return new MapShape(info.getInt(0), info.getInt(8), info.getInt(12), info.getInt(16));
  }

  @Override
  public String toString() {
    return "type %d, key %d, value %d, entries %d".formatted(type, keySize, valueSize, entries);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What the agent asks of BPF maps. */
public interface KernelMaps extends Descriptors {
  /** The kernel's id of a map. */
  long mapId(int map);

  /** Creates an array map and pins it. */
  int createArray(String name, int valueSize, int entries, Path pin);

  /** Creates an array map to be put into an array of maps. */
  int createArray(String name, int valueSize, int entries);

  /** Creates a queue map. */
  int createQueue(String name, int valueSize, int entries);

  /**
   * Creates a preallocated hash map.
   *
   * @param evicts whether a full map makes room by removing an entry that is among the least
   *     recently used
   */
  int createHash(String name, int keySize, int valueSize, int entries, boolean evicts);

  /**
   * Creates a ring buffer.
   *
   * @param bytes a power of two, at least a page
   */
  int createRing(String name, int bytes);

  /** The events of a ring buffer. */
  EventRing events(int ring);

  byte[] lookup(int map, int key, int valueSize);

  /** An element of a hash map, or the next one of a queue, whose key is empty. */
  Optional<byte[]> find(int map, byte[] key, int valueSize);

  /** The bytes of a map of one element, shared with the kernel: read without a call. */
  MappedMap mapped(int map, int valueSize);

  /** The value of each possible CPU. */
  List<byte[]> lookupPerCpu(int map, int key, int valueSize);

  /**
   * Reads all values of an array map, in order, in one call.
   *
   * @param valueSize bytes of an entry's value; for a per-CPU map, of the values of all possible
   *     CPUs
   */
  ByteBuffer lookupAll(int map, int entries, int valueSize);

  void update(int map, int key, byte[] value);

  /** Writes an element of a hash map. */
  void update(int map, byte[] key, byte[] value);

  /**
   * Reads at most {@code count} elements of a hash map, starting at a cursor.
   *
   * @param cursor the previous batch's {@code next}; empty to start at the beginning
   */
  Batch lookupBatch(int map, Optional<ByteBuffer> cursor, int keySize, int valueSize, int count);

  /**
   * The id of the map that an element of an array of maps holds; empty if the element holds none.
   * An id opens nothing, because that would need CAP_SYS_ADMIN. Maps in such arrays are therefore
   * pinned, too.
   */
  Optional<Long> innerId(int maps, int key);

  /** Writes the same value for each possible CPU. */
  void updatePerCpu(int map, int key, byte[] value);

  /** Removes an entry; no error if there is none. */
  void delete(int map, int key);

  /** Bytes of kernel memory that a map takes, as the kernel reports them. */
  long memory(int map);

  /** The number of CPUs that may ever exist: a per-CPU value has one part per possible CPU. */
  int possibleCpus();

  /**
   * A part of a hash map.
   *
   * @param keys the keys of {@code count} elements, one after the other
   * @param values the values of the same elements, in the same order
   * @param next the cursor of the next batch; empty at the map's end
   */
  record Batch(int count, ByteBuffer keys, ByteBuffer values, Optional<ByteBuffer> next) {}
}

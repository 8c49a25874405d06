package dev.tokenbucket.agent.kernel;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What the agent asks of BPF maps. */
public interface KernelMaps extends Descriptors {
  /** The kernel's number of a map. */
  long mapId(int map);

  /** Creates an array map and pins it. */
  int createArray(String name, int valueSize, int entries, Path pin);

  /** Creates an array map for an array of maps. */
  int createArray(String name, int valueSize, int entries);

  /** Creates a queue map. */
  int createQueue(String name, int valueSize, int entries);

  /**
   * Creates a preallocated hash map.
   *
   * @param evicts whether the kernel makes room by removing about the least recently used
   */
  int createHash(String name, int keySize, int valueSize, int entries, boolean evicts);

  byte[] lookup(int map, int key, int valueSize);

  /** The value of each possible CPU. */
  List<byte[]> lookupPerCpu(int map, int key, int valueSize);

  /**
   * All values of an array map, in order, in one call.
   *
   * @param valueSize bytes of an entry's value; of a per-CPU map, those of all possible CPUs
   */
  ByteBuffer lookupAll(int map, int entries, int valueSize);

  void update(int map, int key, byte[] value);

  /**
   * Reads about so many elements of a hash map, from a cursor on.
   *
   * @param cursor what the read before gave; empty from the beginning
   */
  Batch lookupBatch(int map, Optional<ByteBuffer> cursor, int keySize, int valueSize, int count);

  /**
   * The number of the map that an element of an array of maps holds; empty where it holds none. A
   * number opens nothing: that would need CAP_SYS_ADMIN, so maps of such arrays are pinned, too.
   */
  Optional<Long> innerId(int maps, int key);

  /** Writes the same value for each possible CPU. */
  void updatePerCpu(int map, int key, byte[] value);

  /** Removes an entry; no error where there is none. */
  void delete(int map, int key);

  /** Bytes of kernel memory that a map takes, as the kernel tells it. */
  long memory(int map);

  /** CPUs that there may ever be: a per-CPU value has a part for each. */
  int possibleCpus();

  /**
   * A part of a hash map.
   *
   * @param keys of {@code count} elements, one behind the other
   * @param values likewise
   * @param next the cursor to go on from; empty at the map's end
   */
  record Batch(int count, ByteBuffer keys, ByteBuffer values, Optional<ByteBuffer> next) {}
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** {@link KernelMaps} on top of libbpf. */
final class LinuxMaps {
  private static final int BPF_MAP_TYPE_HASH = 1;
  private static final int BPF_MAP_TYPE_ARRAY = 2;
  private static final int BPF_MAP_TYPE_QUEUE = 22;
  private static final int BPF_MAP_TYPE_RINGBUF = 27;
  private static final int BPF_MAP_TYPE_LRU_HASH = 9;

  /** The batch cursor of a hash map is the number of a hash bucket. */
  private static final int CURSOR_SIZE = 4;

  /** Bytes of struct bpf_map_info that the agent asks for. */
  private static final int MAP_INFO = 80;

  /** The prefix of a line in a map's /proc/self/fdinfo. */
  private static final String MEMORY = "memlock:";

  private static final int ENOENT = 2;

  private final NativeCalls calls;
  private final LibBpf library;
  private final int cpus = readPossibleCpus();

  LinuxMaps(NativeCalls calls) {
    this.calls = calls;
    this.library = calls.library();
  }

  long mapId(int map) {
    return Integer.toUnsignedLong(calls.info(map, MAP_INFO).getInt(4));
  }

  int createArray(String name, int valueSize, int entries, Path pin) {
    int map = createArray(name, valueSize, entries);
    try {
      calls.pin(map, pin);
      return map;
    } catch (KernelException e) {
      calls.close(map);
      throw e;
    }
  }

  int createArray(String name, int valueSize, int entries) {
    return NativeCalls.check(
        "creating map " + name,
        library.bpf_map_create(BPF_MAP_TYPE_ARRAY, name, 4, valueSize, entries, null));
  }

  int createQueue(String name, int valueSize, int entries) {
    return NativeCalls.check(
        "creating map " + name,
        library.bpf_map_create(BPF_MAP_TYPE_QUEUE, name, 0, valueSize, entries, null));
  }

  int createRing(String name, int bytes) {
    return NativeCalls.check(
        "creating map " + name,
        library.bpf_map_create(BPF_MAP_TYPE_RINGBUF, name, 0, 0, bytes, null));
  }

  int createHash(String name, int keySize, int valueSize, int entries, boolean evicts) {
    int type = evicts ? BPF_MAP_TYPE_LRU_HASH : BPF_MAP_TYPE_HASH;
    return NativeCalls.check(
        "creating map " + name,
        library.bpf_map_create(type, name, keySize, valueSize, entries, null));
  }

  byte[] lookup(int map, int key, int valueSize) {
    byte[] value = new byte[valueSize];
    NativeCalls.check(
        "reading a map", library.bpf_map_lookup_elem(map, NativeCalls.bytes(key), value));
    return value;
  }

  Optional<byte[]> find(int map, byte[] key, int valueSize) {
    byte[] value = new byte[valueSize];
    int result = library.bpf_map_lookup_elem(map, key, value);
    if (result == -ENOENT) {
      return Optional.empty();
    }
    NativeCalls.check("reading a map", result);
    return Optional.of(value);
  }

  MappedMap mapped(int map, int valueSize) {
    return new MappedMap(calls, map, valueSize);
  }

  List<byte[]> lookupPerCpu(int map, int key, int valueSize) {
    byte[] all = lookup(map, key, valueSize * cpus);
    List<byte[]> values = new ArrayList<>();
    for (int cpu = 0; cpu < cpus; cpu++) {
      values.add(Arrays.copyOfRange(all, cpu * valueSize, (cpu + 1) * valueSize));
    }
    return values;
  }

  void update(int map, int key, byte[] value) {
    NativeCalls.check(
        "writing a map", library.bpf_map_update_elem(map, NativeCalls.bytes(key), value, 0));
  }

  void update(int map, byte[] key, byte[] value) {
    NativeCalls.check("writing a map", library.bpf_map_update_elem(map, key, value, 0));
  }

  KernelMaps.Batch lookupBatch(
      int map, Optional<ByteBuffer> cursor, int keySize, int valueSize, int count) {
    byte[] keys = new byte[count * keySize];
    byte[] values = new byte[count * valueSize];
    byte[] next = new byte[CURSOR_SIZE];
    int[] found = {count};
    byte[] from = cursor.map(NativeCalls::bytes).orElse(null);
    int result = library.bpf_map_lookup_batch(map, from, next, keys, values, found, null);
    if (result != -ENOENT) {
      NativeCalls.check("reading a part of a map", result);
    }
    return new KernelMaps.Batch(
        found[0],
        ByteBuffer.wrap(keys),
        ByteBuffer.wrap(values).order(ByteOrder.nativeOrder()),
        result == 0 ? Optional.of(ByteBuffer.wrap(next)) : Optional.empty());
  }

  ByteBuffer lookupAll(int map, int entries, int valueSize) {
    KernelMaps.Batch all = lookupBatch(map, Optional.empty(), Integer.BYTES, valueSize, entries);
    if (all.count() != entries) {
      throw new IllegalStateException(
          "a map of %d entries gave %d".formatted(entries, all.count()));
    }
    return all.values();
  }

  Optional<Long> innerId(int maps, int key) {
    byte[] id = new byte[4];
    int result = library.bpf_map_lookup_elem(maps, NativeCalls.bytes(key), id);
    if (result == -ENOENT) {
      return Optional.empty();
    }
    NativeCalls.check("reading an array of maps", result);
    return Optional.of(
        Integer.toUnsignedLong(ByteBuffer.wrap(id).order(ByteOrder.nativeOrder()).getInt()));
  }

  void updatePerCpu(int map, int key, byte[] value) {
    byte[] all = new byte[value.length * cpus];
    for (int cpu = 0; cpu < cpus; cpu++) {
      System.arraycopy(value, 0, all, cpu * value.length, value.length);
    }
    update(map, key, all);
  }

  void delete(int map, int key) {
    int result = library.bpf_map_delete_elem(map, NativeCalls.bytes(key));
    if (result != -ENOENT) {
      NativeCalls.check("deleting from a map", result);
    }
  }

  long memory(int map) {
    try {
      return Files.readAllLines(Path.of("/proc/self/fdinfo/" + map)).stream()
          .filter(line -> line.startsWith(MEMORY))
          .mapToLong(line -> Long.parseLong(line.substring(MEMORY.length()).strip()))
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  int possibleCpus() {
    return cpus;
  }

  /**
   * The number of possible CPUs, present or not, since a per-CPU value has one part for each. The
   * last number in the kernel's list is the highest CPU.
   */
  private static int readPossibleCpus() {
    try {
      String list =
          Files.readString(Path.of("/sys/devices/system/cpu/possible"), StandardCharsets.US_ASCII);
      return 1 + Integer.parseInt(list.strip().replaceAll(".*[,-]", ""));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

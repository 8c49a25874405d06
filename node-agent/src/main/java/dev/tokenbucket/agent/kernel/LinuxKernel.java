package dev.tokenbucket.agent.kernel;

import dev.tokenbucket.api.v1alpha1.Direction;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/** {@link Kernel} by libbpf and the bpf() system call. */
public final class LinuxKernel implements Kernel {
  private static final int BPF_MAP_TYPE_HASH = 1;
  private static final int BPF_MAP_TYPE_ARRAY = 2;
  private static final int BPF_MAP_TYPE_QUEUE = 22;
  private static final int BPF_MAP_TYPE_LRU_HASH = 9;

  /** A hash map's cursor is the number of its bucket. */
  private static final int CURSOR_SIZE = 4;

  /** Bytes of struct bpf_map_info that we ask for. */
  private static final int MAP_INFO = 80;

  /** A line of a map's /proc/self/fdinfo. */
  private static final String MEMORY = "memlock:";

  private static final int ENOENT = 2;
  private static final int EINVAL = 22;

  private final NativeCalls calls;
  private final LibBpf library;
  private final Runtime runtime;
  private final GracePeriod gracePeriod;
  private final TcxLinks tcx;
  private final ClsactFilters clsact;
  private final int cpus = readPossibleCpus();
  private volatile boolean tcxMissing;

  /** Uses TCX where the kernel has it, clsact elsewhere. */
  public LinuxKernel() {
    this(false);
  }

  /**
   * @param clsactOnly true uses clsact though the kernel may have TCX
   */
  public LinuxKernel(boolean clsactOnly) {
    this(clsactOnly, new NativeCalls());
  }

  LinuxKernel(boolean clsactOnly, NativeCalls calls) {
    this.calls = calls;
    this.library = calls.library();
    this.runtime = calls.runtime();
    this.gracePeriod = new GracePeriod(calls);
    this.tcx = new TcxLinks(calls);
    this.clsact = new ClsactFilters(calls);
    this.tcxMissing = clsactOnly;
  }

  @Override
  public int load(
      Path object,
      String program,
      Map<String, Path> pins,
      Map<String, byte[]> readOnlyData,
      List<MapContents> contents) {
    return load(object, pins, readOnlyData, contents, opened -> program(opened, program));
  }

  @Override
  public ProgramAndMap loadWithMap(
      Path object,
      String program,
      Map<String, Path> pins,
      Map<String, byte[]> readOnlyData,
      List<MapContents> contents,
      String map) {
    return load(
        object, pins, readOnlyData, contents, opened -> programAndMap(opened, program, map));
  }

  private ProgramAndMap programAndMap(Pointer opened, String program, String map) {
    int taken = program(opened, program);
    try {
      return new ProgramAndMap(taken, calls.duplicate(library.bpf_map__fd(map(opened, map))));
    } catch (KernelException e) {
      calls.close(taken);
      throw e;
    }
  }

  private <T> T load(
      Path object,
      Map<String, Path> pins,
      Map<String, byte[]> readOnlyData,
      List<MapContents> contents,
      Function<Pointer, T> take) {
    Pointer opened = library.bpf_object__open_file(object.toString(), null);
    if (opened == null) {
      throw new KernelException("opening the BPF object " + object, runtime.getLastError());
    }
    try {
      pins.forEach(
          (name, path) ->
              NativeCalls.check(
                  "setting the pin of map " + name,
                  library.bpf_map__set_pin_path(map(opened, name), path.toString())));
      readOnlyData.forEach(
          (name, data) ->
              NativeCalls.check(
                  "setting " + name,
                  library.bpf_map__set_initial_value(map(opened, name), data, data.length)));
      contents.forEach(each -> size(map(opened, each.map()), each));
      NativeCalls.check("loading the BPF object " + object, library.bpf_object__load(opened));
      contents.forEach(each -> fill(library.bpf_map__fd(map(opened, each.map())), each));
      return take.apply(opened);
    } finally {
      library.bpf_object__close(opened);
    }
  }

  private void size(Pointer map, MapContents contents) {
    String what = "setting the size of map " + contents.map();
    NativeCalls.check(what, library.bpf_map__set_max_entries(map, contents.entries()));
    NativeCalls.check(what, library.bpf_map__set_value_size(map, contents.valueSize()));
  }

  private void fill(int map, MapContents contents) {
    for (MapContents.Element each : contents.elements()) {
      NativeCalls.check(
          "filling map " + contents.map(),
          library.bpf_map_update_elem(map, copy(each.key()), copy(each.value()), 0));
    }
  }

  private int program(Pointer object, String name) {
    Pointer found = library.bpf_object__find_program_by_name(object, name);
    if (found == null) {
      throw new KernelException("finding program " + name, ENOENT);
    }
    // The object's own descriptor goes with the object; a second one outlives it.
    return calls.duplicate(library.bpf_program__fd(found));
  }

  private Pointer map(Pointer object, String name) {
    Pointer map = library.bpf_object__find_map_by_name(object, name);
    if (map == null) {
      throw new KernelException("finding map " + name, ENOENT);
    }
    return map;
  }

  @Override
  public void attach(int program, Attachment at) {
    if (!tcxMissing) {
      try {
        tcx.attach(program, at);
        return;
      } catch (KernelException e) {
        // What a kernel before 6.6 says to an attach type that it does not know.
        if (e.errno() != EINVAL) {
          throw e;
        }
        tcxMissing = true;
      }
    }
    clsact.attach(program, at);
  }

  @Override
  public void replace(Attachment at, int program) {
    if (Files.exists(at.link())) {
      tcx.replace(at, program);
    } else {
      clsact.replace(at, program);
    }
  }

  @Override
  public Optional<Attached> attached(Attachment at) {
    return tcx.attached(at).or(() -> clsact.attached(at));
  }

  @Override
  public void settle(Attachment at) {
    clsact.settle(at);
  }

  @Override
  public void detach(Attachment at) {
    tcx.detach(at);
    clsact.detach(at);
  }

  @Override
  public long programId(int program) {
    return calls.programId(program);
  }

  @Override
  public long mapId(int map) {
    return Integer.toUnsignedLong(calls.info(map, MAP_INFO).getInt(4));
  }

  @Override
  public List<Long> mapIds(int program) {
    return calls.mapIds(program);
  }

  @Override
  public void pin(int fd, Path pin) {
    NativeCalls.check("pinning " + pin, library.bpf_obj_pin(fd, pin.toString()));
  }

  @Override
  public int open(Path pin) {
    return calls.open(pin);
  }

  @Override
  public int createArray(String name, int valueSize, int entries, Path pin) {
    int map = createArray(name, valueSize, entries);
    try {
      pin(map, pin);
      return map;
    } catch (KernelException e) {
      calls.close(map);
      throw e;
    }
  }

  @Override
  public int createArray(String name, int valueSize, int entries) {
    return NativeCalls.check(
        "creating map " + name,
        library.bpf_map_create(BPF_MAP_TYPE_ARRAY, name, 4, valueSize, entries, null));
  }

  @Override
  public int createQueue(String name, int valueSize, int entries) {
    return NativeCalls.check(
        "creating map " + name,
        library.bpf_map_create(BPF_MAP_TYPE_QUEUE, name, 0, valueSize, entries, null));
  }

  @Override
  public int createHash(String name, int keySize, int valueSize, int entries, boolean evicts) {
    int type = evicts ? BPF_MAP_TYPE_LRU_HASH : BPF_MAP_TYPE_HASH;
    return NativeCalls.check(
        "creating map " + name,
        library.bpf_map_create(type, name, keySize, valueSize, entries, null));
  }

  @Override
  public byte[] lookup(int map, int key, int valueSize) {
    byte[] value = new byte[valueSize];
    NativeCalls.check("reading a map", library.bpf_map_lookup_elem(map, bytes(key), value));
    return value;
  }

  @Override
  public List<byte[]> lookupPerCpu(int map, int key, int valueSize) {
    byte[] all = lookup(map, key, valueSize * cpus);
    List<byte[]> values = new ArrayList<>();
    for (int cpu = 0; cpu < cpus; cpu++) {
      values.add(Arrays.copyOfRange(all, cpu * valueSize, (cpu + 1) * valueSize));
    }
    return values;
  }

  @Override
  public void update(int map, int key, byte[] value) {
    NativeCalls.check("writing a map", library.bpf_map_update_elem(map, bytes(key), value, 0));
  }

  @Override
  public Batch lookupBatch(
      int map, Optional<ByteBuffer> cursor, int keySize, int valueSize, int count) {
    byte[] keys = new byte[count * keySize];
    byte[] values = new byte[count * valueSize];
    byte[] next = new byte[CURSOR_SIZE];
    int[] found = {count};
    byte[] from = cursor.map(LinuxKernel::copy).orElse(null);
    int result = library.bpf_map_lookup_batch(map, from, next, keys, values, found, null);
    if (result != -ENOENT) {
      NativeCalls.check("reading a part of a map", result);
    }
    return new Batch(
        found[0],
        ByteBuffer.wrap(keys),
        ByteBuffer.wrap(values).order(ByteOrder.nativeOrder()),
        result == 0 ? Optional.of(ByteBuffer.wrap(next)) : Optional.empty());
  }

  @Override
  public ByteBuffer lookupAll(int map, int entries, int valueSize) {
    Batch all = lookupBatch(map, Optional.empty(), Integer.BYTES, valueSize, entries);
    if (all.count() != entries) {
      throw new IllegalStateException(
          "a map of %d entries gave %d".formatted(entries, all.count()));
    }
    return all.values();
  }

  private static byte[] copy(ByteBuffer from) {
    byte[] copy = new byte[from.remaining()];
    from.duplicate().get(copy);
    return copy;
  }

  @Override
  public Optional<Long> innerId(int maps, int key) {
    byte[] id = new byte[4];
    int result = library.bpf_map_lookup_elem(maps, bytes(key), id);
    if (result == -ENOENT) {
      return Optional.empty();
    }
    NativeCalls.check("reading an array of maps", result);
    return Optional.of(
        Integer.toUnsignedLong(ByteBuffer.wrap(id).order(ByteOrder.nativeOrder()).getInt()));
  }

  @Override
  public void updatePerCpu(int map, int key, byte[] value) {
    byte[] all = new byte[value.length * cpus];
    for (int cpu = 0; cpu < cpus; cpu++) {
      System.arraycopy(value, 0, all, cpu * value.length, value.length);
    }
    update(map, key, all);
  }

  @Override
  public void delete(int map, int key) {
    int result = library.bpf_map_delete_elem(map, bytes(key));
    if (result != -ENOENT) {
      NativeCalls.check("deleting from a map", result);
    }
  }

  @Override
  public int run(int program, byte[] context) {
    Pointer input = Memory.allocateDirect(runtime, context.length, true);
    input.put(0, context, 0, context.length);
    Pointer options = Memory.allocateDirect(runtime, 80, true);
    options.putLong(0, 80);
    options.putAddress(32, input.address());
    options.putInt(48, context.length);
    try {
      NativeCalls.check("running a BPF program", library.bpf_prog_test_run_opts(program, options));
      return options.getInt(56);
    } finally {
      // The kernel reads it by its address, which keeps nothing from being collected.
      Reference.reachabilityFence(input);
    }
  }

  @Override
  public void mountBpf(Path folder) {
    if (library.mount("bpf", folder.toString(), "bpf", 0, "mode=0700") < 0) {
      throw new KernelException("mounting one at " + folder, runtime.getLastError());
    }
  }

  @Override
  public void awaitGracePeriod() {
    gracePeriod.await();
  }

  @Override
  public Optional<String> interfaceName(int index) {
    return calls.interfaceName(index);
  }

  @Override
  public List<NetworkDevice> devices() {
    return new LinkDump(calls).devices();
  }

  @Override
  public Set<Integer> defaultRouteDevices() {
    return new RouteDump(calls).defaultRouteDevices();
  }

  @Override
  public NetworkWatch watchNetwork() {
    return new RouteGroups(calls);
  }

  @Override
  public List<Long> tcxPrograms(int ifindex, Direction direction) {
    return tcx.programs(ifindex, direction);
  }

  @Override
  public boolean hasTcx() {
    return tcx.known();
  }

  @Override
  public Optional<Integer> lock(Path folder) {
    return calls.lock(folder);
  }

  @Override
  public long memory(int map) {
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

  @Override
  public int possibleCpus() {
    return cpus;
  }

  @Override
  public boolean isRealTime() {
    try {
      return Files.readString(Path.of("/proc/version")).contains(" PREEMPT_RT ");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close(int fd) {
    calls.close(fd);
  }

  private static byte[] bytes(int key) {
    return NativeCalls.bytes(key);
  }

  /**
   * A per-CPU value has a part for each possible CPU, present or not; the list ends in the last.
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

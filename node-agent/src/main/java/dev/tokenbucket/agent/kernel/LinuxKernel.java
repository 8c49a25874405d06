package dev.tokenbucket.agent.kernel;

import dev.tokenbucket.api.v1alpha1.Direction;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import org.jspecify.annotations.Nullable;

/** {@link Kernel} by libbpf and the bpf() system call. x86-64 and arm64 system call numbers. */
public final class LinuxKernel implements Kernel {
  private static final boolean ARM = System.getProperty("os.arch", "").equals("aarch64");
  private static final long SYS_BPF = ARM ? 280 : 321;
  private static final long SYS_MEMBARRIER = ARM ? 283 : 324;
  private static final long MEMBARRIER_CMD_GLOBAL = 1;
  private static final int BPF_LINK_CREATE = 28;
  private static final int BPF_TCX_INGRESS = 46;
  private static final int BPF_TCX_EGRESS = 47;
  private static final int BPF_F_BEFORE = 1 << 3;
  private static final int BPF_MAP_TYPE_HASH = 1;
  private static final int BPF_MAP_TYPE_ARRAY = 2;
  private static final int ENOENT = 2;

  private final LibBpf library;
  private final Runtime runtime;
  private final int cpus;

  public LinuxKernel() {
    library =
        LibraryLoader.create(LibBpf.class)
            .library("libbpf.so.1")
            .library("c")
            .failImmediately()
            .load();
    runtime = Runtime.getRuntime(library);
    cpus = possibleCpus();
  }

  @Override
  public int load(
      Path object, String program, Map<String, Path> pins, Map<String, byte[]> readOnlyData) {
    Pointer opened = library.bpf_object__open_file(object.toString(), null);
    if (opened == null) {
      throw new KernelException("opening the BPF object " + object, runtime.getLastError());
    }
    try {
      pins.forEach(
          (name, path) ->
              check(
                  "setting the pin of map " + name,
                  library.bpf_map__set_pin_path(map(opened, name), path.toString())));
      readOnlyData.forEach(
          (name, data) ->
              check(
                  "setting " + name,
                  library.bpf_map__set_initial_value(map(opened, name), data, data.length)));
      check("loading the BPF object " + object, library.bpf_object__load(opened));
      Pointer found = library.bpf_object__find_program_by_name(opened, program);
      if (found == null) {
        throw new KernelException("finding program " + program, ENOENT);
      }
      // The object's own descriptor goes with the object; a second one outlives it.
      return reopen(library.bpf_program__fd(found));
    } finally {
      library.bpf_object__close(opened);
    }
  }

  private Pointer map(Pointer object, String name) {
    Pointer map = library.bpf_object__find_map_by_name(object, name);
    if (map == null) {
      throw new KernelException("finding map " + name, ENOENT);
    }
    return map;
  }

  private int reopen(int program) {
    return check(
        "opening the loaded program",
        library.bpf_prog_get_fd_by_id((int) info(program, 4, 232).getInt(4)));
  }

  @Override
  public void attach(int program, int ifindex, Direction direction, Path pin) {
    Pointer attributes = Memory.allocateDirect(runtime, 64, true);
    attributes.putInt(0, program);
    attributes.putInt(4, ifindex);
    attributes.putInt(8, direction == Direction.Ingress ? BPF_TCX_INGRESS : BPF_TCX_EGRESS);
    attributes.putInt(12, BPF_F_BEFORE);
    int link = (int) library.syscall(SYS_BPF, BPF_LINK_CREATE, attributes, 64);
    if (link < 0) {
      throw new KernelException("attaching to TCX " + direction, runtime.getLastError());
    }
    try {
      check("pinning " + pin, library.bpf_obj_pin(link, pin.toString()));
    } finally {
      close(link);
    }
  }

  @Override
  public void replace(Path pinnedLink, int program) {
    int link = open(pinnedLink);
    try {
      check("updating link " + pinnedLink, library.bpf_link_update(link, program, null));
    } finally {
      close(link);
    }
  }

  @Override
  public Optional<Link> link(Path pinnedLink) {
    if (!Files.exists(pinnedLink)) {
      return Optional.empty();
    }
    int fd = open(pinnedLink);
    try {
      ByteBuffer info = info(fd, 0, 64);
      int ifindex = info.getInt(16);
      return ifindex == 0
          ? Optional.empty()
          : Optional.of(new Link(ifindex, Integer.toUnsignedLong(info.getInt(8))));
    } finally {
      close(fd);
    }
  }

  @Override
  public Optional<byte[]> readOnlyData(long programId, int size) {
    int program =
        check("opening program " + programId, library.bpf_prog_get_fd_by_id((int) programId));
    try {
      int maps = 64;
      Pointer ids = Memory.allocateDirect(runtime, 4L * maps, true);
      Pointer info = Memory.allocateDirect(runtime, 232, true);
      info.putInt(52, maps);
      info.putLong(56, ids.address());
      check(
          "reading a program's info",
          library.bpf_obj_get_info_by_fd(program, info, new int[] {232}));
      for (int i = 0; i < info.getInt(52); i++) {
        byte @Nullable [] value = onlyValue(ids.getInt(4L * i), size);
        if (value != null) {
          return Optional.of(value);
        }
      }
      return Optional.empty();
    } finally {
      close(program);
    }
  }

  private byte @Nullable [] onlyValue(int mapId, int size) {
    int map = check("opening a program's map", library.bpf_map_get_fd_by_id(mapId));
    try {
      ByteBuffer info = info(map, 0, 80);
      boolean wanted =
          info.getInt(0) == BPF_MAP_TYPE_ARRAY && info.getInt(12) == size && info.getInt(16) == 1;
      return wanted ? lookup(map, 0, size) : null;
    } finally {
      close(map);
    }
  }

  private ByteBuffer info(int fd, int minimum, int size) {
    Pointer info = Memory.allocateDirect(runtime, size, true);
    int[] length = {size};
    check("reading an object's info", library.bpf_obj_get_info_by_fd(fd, info, length));
    byte[] bytes = new byte[Math.max(size, minimum)];
    info.get(0, bytes, 0, size);
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
  }

  @Override
  public int open(Path pin) {
    return check("opening " + pin, library.bpf_obj_get(pin.toString()));
  }

  @Override
  public int createArray(String name, int valueSize, int entries, Path pin) {
    int map =
        check(
            "creating map " + name,
            library.bpf_map_create(BPF_MAP_TYPE_ARRAY, name, 4, valueSize, entries, null));
    check("pinning " + pin, library.bpf_obj_pin(map, pin.toString()));
    return map;
  }

  @Override
  public int createHash(String name, int keySize, int valueSize, int entries) {
    return check(
        "creating map " + name,
        library.bpf_map_create(BPF_MAP_TYPE_HASH, name, keySize, valueSize, entries, null));
  }

  @Override
  public byte[] lookup(int map, int key, int valueSize) {
    byte[] value = new byte[valueSize];
    check("reading a map", library.bpf_map_lookup_elem(map, bytes(key), value));
    return value;
  }

  @Override
  public List<byte[]> lookupPerCpu(int map, int key, int valueSize) {
    byte[] all = lookup(map, key, valueSize * cpus);
    List<byte[]> values = new ArrayList<>();
    for (int cpu = 0; cpu < cpus; cpu++) {
      values.add(java.util.Arrays.copyOfRange(all, cpu * valueSize, (cpu + 1) * valueSize));
    }
    return values;
  }

  @Override
  public void update(int map, int key, byte[] value) {
    check("writing a map", library.bpf_map_update_elem(map, bytes(key), value, 0));
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
      check("deleting from a map", result);
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
    check("running a BPF program", library.bpf_prog_test_run_opts(program, options));
    return options.getInt(56);
  }

  @Override
  public void awaitGracePeriod() {
    if (library.syscall(SYS_MEMBARRIER, MEMBARRIER_CMD_GLOBAL, 0L, 0L) != 0) {
      throw new KernelException("waiting for a grace period by membarrier", runtime.getLastError());
    }
  }

  @Override
  public void close(int fd) {
    library.close(fd);
  }

  private static int check(String attempt, int result) {
    if (result < 0) {
      throw new KernelException(attempt, -result);
    }
    return result;
  }

  private static byte[] bytes(int key) {
    return ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(key).array();
  }

  /**
   * A per-CPU value has a part for each possible CPU, present or not; the list ends in the last.
   */
  private static int possibleCpus() {
    try {
      String list =
          Files.readString(Path.of("/sys/devices/system/cpu/possible"), StandardCharsets.US_ASCII);
      return 1 + Integer.parseInt(list.strip().replaceAll(".*[,-]", ""));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

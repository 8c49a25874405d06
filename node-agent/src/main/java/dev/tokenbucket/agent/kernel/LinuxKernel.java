// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/** {@link Kernel} on top of libbpf and the bpf() system call. */
public final class LinuxKernel implements Kernel {

  private static final int EINVAL = 22;

  /** Of 8,192 CPUs, the most that Linux has. */
  private static final int CPU_MASK_BYTES = 1024;

  private final NativeCalls calls;
  private final LibBpf library;
  private final Runtime runtime;
  private final LinuxMaps maps;
  private final ObjectLoader objects;
  private final GracePeriod gracePeriod;
  private final TcxLinks tcx;
  private final ClsactFilters clsact;
  private final XdpLinks xdp;
  private final PinnedLinks links;
  private final LinkSpeeds speeds;
  private volatile boolean tcxMissing;

  /** Uses TCX if the kernel has it, and clsact otherwise. */
  public LinuxKernel() {
    this(false);
  }

  /**
   * @param clsactOnly true to use clsact even if the kernel has TCX
   */
  public LinuxKernel(boolean clsactOnly) {
    this(clsactOnly, new NativeCalls());
  }

  LinuxKernel(boolean clsactOnly, NativeCalls calls) {
    this.calls = calls;
    this.library = calls.library();
    this.runtime = calls.runtime();
    this.maps = new LinuxMaps(calls);
    this.objects = new ObjectLoader(calls);
    this.gracePeriod = new GracePeriod(calls);
    this.links = new PinnedLinks(calls);
    this.tcx = new TcxLinks(calls, links);
    this.clsact = new ClsactFilters(calls);
    this.xdp = new XdpLinks(calls, links);
    this.speeds = new LastSpeeds(new LinkSettings(calls));
    this.tcxMissing = clsactOnly;
  }

  @Override
  public int load(
      Path object,
      String program,
      Map<String, Path> pins,
      Map<String, byte[]> readOnlyData,
      List<MapContents> contents) {
    return objects.load(object, program, pins, readOnlyData, contents);
  }

  @Override
  public ProgramAndMap loadWithMap(
      Path object,
      String program,
      Map<String, Path> pins,
      Map<String, byte[]> readOnlyData,
      List<MapContents> contents,
      String map) {
    return objects.loadWithMap(object, program, pins, readOnlyData, contents, map);
  }

  @Override
  public ProgramAndMaps loadAlone(
      byte[] object,
      String program,
      Map<String, byte[]> readOnlyData,
      List<MapContents> contents,
      List<String> names) {
    return objects.loadAlone(object, program, readOnlyData, contents, names);
  }

  @Override
  public PacketRunner packetRunner(int program) {
    return new PacketRunner(calls, program);
  }

  @Override
  public void stayOnThisCpu() {
    int cpu = NativeCalls.check("finding the CPU", library.sched_getcpu());
    byte[] mask = new byte[CPU_MASK_BYTES];
    mask[cpu / Byte.SIZE] = (byte) (1 << cpu % Byte.SIZE);
    if (library.sched_setaffinity(0, mask.length, mask) != 0) {
      throw new KernelException("keeping a thread on CPU " + cpu, runtime.getLastError());
    }
  }

  @Override
  public void attach(int program, Attachment at) {
    if (at.point() == HookPoint.XDP) {
      xdp.attach(program, at);
      return;
    }
    if (!tcxMissing) {
      try {
        tcx.attach(program, at);
        return;
      } catch (KernelException e) {
        // Kernels before 6.6 answer EINVAL, because they do not know the attach type.
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
      links.replace(at, program);
    } else {
      clsact.replace(at, program);
    }
  }

  @Override
  public Optional<Attached> attached(Attachment at) {
    return at.point() == HookPoint.XDP
        ? xdp.attached(at)
        : tcx.attached(at).or(() -> clsact.attached(at));
  }

  @Override
  public void settle(Attachment at) {
    if (at.point() != HookPoint.XDP) {
      clsact.settle(at);
    }
  }

  @Override
  public void detach(Attachment at) {
    links.detach(at);
    if (at.point() != HookPoint.XDP) {
      clsact.detach(at);
    }
  }

  @Override
  public long programId(int program) {
    return calls.programId(program);
  }

  @Override
  public List<Long> mapIds(int program) {
    return calls.mapIds(program);
  }

  @Override
  public void pin(int fd, Path pin) {
    calls.pin(fd, pin);
  }

  @Override
  public int open(Path pin) {
    return calls.open(pin);
  }

  @Override
  public long mapId(int map) {
    return maps.mapId(map);
  }

  @Override
  public int createArray(String name, int valueSize, int entries, Path pin) {
    return maps.createArray(name, valueSize, entries, pin);
  }

  @Override
  public int createArray(String name, int valueSize, int entries) {
    return maps.createArray(name, valueSize, entries);
  }

  @Override
  public int createQueue(String name, int valueSize, int entries) {
    return maps.createQueue(name, valueSize, entries);
  }

  @Override
  public int createHash(String name, int keySize, int valueSize, int entries, boolean evicts) {
    return maps.createHash(name, keySize, valueSize, entries, evicts);
  }

  @Override
  public int createRing(String name, int bytes) {
    return maps.createRing(name, bytes);
  }

  @Override
  public EventRing events(int ring) {
    return new EventRing(calls, ring);
  }

  @Override
  public byte[] lookup(int map, int key, int valueSize) {
    return maps.lookup(map, key, valueSize);
  }

  @Override
  public Optional<byte[]> find(int map, byte[] key, int valueSize) {
    return maps.find(map, key, valueSize);
  }

  @Override
  public MappedMap mapped(int map, int valueSize) {
    return maps.mapped(map, valueSize);
  }

  @Override
  public List<byte[]> lookupPerCpu(int map, int key, int valueSize) {
    return maps.lookupPerCpu(map, key, valueSize);
  }

  @Override
  public ByteBuffer lookupAll(int map, int entries, int valueSize) {
    return maps.lookupAll(map, entries, valueSize);
  }

  @Override
  public void update(int map, int key, byte[] value) {
    maps.update(map, key, value);
  }

  @Override
  public void update(int map, byte[] key, byte[] value) {
    maps.update(map, key, value);
  }

  @Override
  public Batch lookupBatch(
      int map, Optional<ByteBuffer> cursor, int keySize, int valueSize, int count) {
    return maps.lookupBatch(map, cursor, keySize, valueSize, count);
  }

  @Override
  public Optional<Long> innerId(int outer, int key) {
    return maps.innerId(outer, key);
  }

  @Override
  public void updatePerCpu(int map, int key, byte[] value) {
    maps.updatePerCpu(map, key, value);
  }

  @Override
  public void delete(int map, int key) {
    maps.delete(map, key);
  }

  @Override
  public long memory(int map) {
    return maps.memory(map);
  }

  @Override
  public int possibleCpus() {
    return maps.possibleCpus();
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
      // The kernel reads the context by its address, and an address keeps nothing from being
      // collected.
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
  public LinkSpeeds linkSpeeds() {
    return speeds;
  }

  @Override
  public NetworkWatch watchNetwork() {
    return new RouteGroups(calls);
  }

  @Override
  public List<Long> tcxPrograms(int ifindex, HookPoint point) {
    return point == HookPoint.XDP ? List.of() : tcx.programs(ifindex, point);
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
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tokenbucket.agent.compile.ClassifierCompiler;
import dev.tokenbucket.agent.hooks.HookConfiguration;
import dev.tokenbucket.agent.hooks.HookConfiguration.Placed;
import dev.tokenbucket.agent.kernel.HookPoint;
import dev.tokenbucket.agent.kernel.KernelMaps;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.kernel.ProgramTestRun;
import dev.tokenbucket.agent.kernel.ProgramTestRun.Merged;
import dev.tokenbucket.agent.kernel.Runner;
import dev.tokenbucket.agent.kernel.XdpRunner;
import dev.tokenbucket.agent.layout.ChangeStep;
import dev.tokenbucket.agent.layout.FailsafeCountLayout;
import dev.tokenbucket.agent.layout.FailsafeCountersLayout;
import dev.tokenbucket.agent.layout.NotIpLayout;
import dev.tokenbucket.agent.layout.PlaceLimit;
import dev.tokenbucket.agent.layout.PolicyParametersLayout;
import dev.tokenbucket.agent.layout.VerdictCountersLayout;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.match.FailsafeTraffic;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.slots.AxisLine;
import dev.tokenbucket.agent.slots.BucketTables;
import dev.tokenbucket.agent.slots.HashKey;
import dev.tokenbucket.agent.slots.PolicySlots;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.agent.slots.SlotIdentity.Role;
import dev.tokenbucket.agent.slots.Sums;
import dev.tokenbucket.agent.slots.Sweeper;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The classifier in the kernel with a set of policies, on no interface and with its own time.
 * Policy {@code i} has slot {@code 2 i}, its window of marked packets slot {@code 2 i + 1}.
 */
final class VirtualHook implements AutoCloseable {
  static final long START = 1_000_000_000_000L;
  private static final List<String> VIRTUAL_CLOCK = List.of("TB_CLOCK_FROM_TIMESTAMP");

  /** {@code clock_tick} of clock.h, under the virtual clock. */
  private static final int TICK_SHIFT = 22;

  private static final HashKey HASH_KEY = HashKey.random();

  record Counters(
      long conformPackets,
      long conformBytes,
      long exceedPackets,
      long exceedBytes,
      long contended,
      long overflow,
      long marked,
      long byParent) {}

  /** Failsafe traffic: passed uncounted, and beyond its own buckets. */
  record Failsafes(long exempt, long exceed) {}

  private final LinuxKernel kernel = new LinuxKernel();
  private final ProgramTestRun runner = new ProgramTestRun();
  private final HookPoint point;
  private final XdpRunner xdp;
  private final Path bpffs;
  private final Path compiled;
  private final List<NodePolicy> policies;
  private final int program;
  private final Sweeper sweeper;
  private final Map<String, Integer> maps = new HashMap<>();
  private final int cpus = kernel.possibleCpus();
  private long now = START;
  private long tickStoppedAt;

  /** Loads the classifier; {@code folder} is a BPF file system of this hook's own. */
  VirtualHook(
      Path folder,
      Path objects,
      HookPoint point,
      boolean ethernet,
      FailsafeSettings failsafes,
      List<NodePolicy> policies) {
    this(folder, objects, VIRTUAL_CLOCK, point, ethernet, failsafes, policies);
  }

  /** Of which packets are judged by the kernel's clock; times given to it mean nothing. */
  static VirtualHook inRealTime(Path folder, Path objects, NodePolicy policy) {
    return new VirtualHook(
        folder,
        objects,
        List.of(),
        HookPoint.INGRESS,
        true,
        FailsafeSettings.LINK_ONLY,
        List.of(policy));
  }

  /** No header of a packet lies in one piece, as some drivers leave it. */
  static VirtualHook ofScatteredPackets(
      Path folder, Path objects, HookPoint point, NodePolicy policy) {
    return new VirtualHook(
        folder,
        objects,
        List.of("TB_CLOCK_FROM_TIMESTAMP", "TB_SCATTERED"),
        point,
        true,
        FailsafeSettings.LINK_ONLY,
        List.of(policy));
  }

  private VirtualHook(
      Path folder,
      Path objects,
      List<String> defines,
      HookPoint point,
      boolean ethernet,
      FailsafeSettings failsafes,
      List<NodePolicy> policies) {
    this.bpffs = folder;
    this.point = point;
    this.policies = List.copyOf(policies);
    Map<String, Path> pins = new Pins(folder).ofClassifier(folder);
    List<Placed> placed = new ArrayList<>();
    for (NodePolicy policy : policies) {
      int slot = 2 * placed.size();
      placed.add(new Placed(policy, slot, slot + 1, slot + 1));
    }
    HookConfiguration configuration =
        HookConfiguration.of(HASH_KEY, point.direction(), ethernet, placed, failsafes);
    compiled = new ClassifierCompiler(objects).compile(defines);
    program =
        kernel.load(
            compiled.resolve(point == HookPoint.XDP ? "xdp.bpf.o" : "classifier.bpf.o"),
            "tokenbucket",
            pins,
            Map.of(".rodata.hook", configuration.encode()),
            configuration.maps());
    xdp = new XdpRunner(program);
    sweeper = new Sweeper(kernel, new Pins(folder), compiled);
    pins.forEach((name, pin) -> maps.put(name, kernel.open(pin)));
    placed.forEach(this::begin);
    for (FailsafeTraffic traffic : FailsafeTraffic.values()) {
      setParameters(traffic.slot(), PolicySlots.line(traffic, START));
    }
  }

  private void begin(Placed placed) {
    SlotIdentity own = SlotIdentity.of(placed.policy(), 0);
    placed
        .slots()
        .forEach(
            (slot, role) -> {
              beginTable(slot, own.as(role));
              setParameters(slot, line(placed.policy(), role, START));
            });
  }

  private void beginTable(int slot, SlotIdentity identity) {
    if (!identity.per().isTabled()) {
      return;
    }
    BucketTables tables = new BucketTables(kernel, new Pins(bpffs));
    // A hook before this one may have used the slot.
    tables.remove(slot);
    tables.create(slot, identity);
  }

  private void setParameters(int slot, AxisLine line) {
    kernel.update(map(PolicyParametersLayout.MAP), slot, PolicySlots.parameters(line));
  }

  private int map(String name) {
    Integer map = maps.get(name);
    if (map == null) {
      throw new IllegalArgumentException(name);
    }
    return map;
  }

  /** A way to run very many packets, each at a time of its own. */
  Runner runner() {
    return point == HookPoint.XDP
        ? new XdpRunner(program)
        : Runner.of(kernel.packetRunner(program));
  }

  /** Whether packets may come merged, as GRO leaves them. */
  boolean seesMergedPackets() {
    return point != HookPoint.XDP;
  }

  /** Lets nanoseconds pass; a negative number goes back in time. */
  void pass(long nanos) {
    now += nanos;
  }

  /** From now on the tick stands still, though time passes. */
  void stopTick() {
    tickStoppedAt = now;
  }

  private int lateTicks() {
    return tickStoppedAt == 0 ? 0 : (int) ((now >> TICK_SHIFT) - (tickStoppedAt >> TICK_SHIFT));
  }

  /** Whether a frame passes now. */
  boolean passes(byte[] frame) {
    return passes(frame, Merged.NONE);
  }

  boolean passes(byte[] frame, Merged merged) {
    if (point != HookPoint.XDP) {
      return verdict(runner.run(program, frame, now, lateTicks(), merged));
    }
    assumeTrue(merged.equals(Merged.NONE), "no frame is merged when XDP sees it");
    xdp.load(frame, frame.length);
    return verdict(xdp.run(now, lateTicks()));
  }

  private static boolean verdict(int verdict) {
    if (verdict != Runner.DROPPED && verdict != Runner.PASSES) {
      throw new IllegalStateException("verdict " + verdict + " is neither drop nor next");
    }
    return verdict == Runner.PASSES;
  }

  /** The frame as the classifier leaves it; it must pass. */
  byte[] rewritten(byte[] frame) {
    byte[] copy = frame.clone();
    boolean passes =
        point == HookPoint.XDP ? passes(frame) : verdict(runner.rewrite(program, copy, now));
    if (!passes) {
      throw new IllegalStateException("the frame was dropped");
    }
    return point == HookPoint.XDP ? xdp.frame() : copy;
  }

  long now() {
    return now;
  }

  /** The addresses that have a bucket, in network order, with their IP version in byte 16. */
  Set<ByteBuffer> sources(int policy) {
    NodePolicy of = policies.get(policy);
    SlotIdentity identity = SlotIdentity.of(of, 0);
    int table = kernel.open(new Pins(bpffs).slot(2 * policy).resolve("table"));
    try {
      int size = Pins.keySize(of.per());
      Set<ByteBuffer> sources = new HashSet<>();
      Optional<ByteBuffer> cursor = Optional.empty();
      do {
        KernelMaps.Batch batch =
            kernel.lookupBatch(
                table, cursor, size, BucketTables.entrySize(identity), of.capacity());
        for (int i = 0; i < batch.count(); i++) {
          sources.add(batch.keys().slice(i * size, 17));
        }
        cursor = batch.next();
      } while (cursor.isPresent());
      return sources;
    } finally {
      kernel.close(table);
    }
  }

  /** From now on the queue of a policy's free places holds this many, and refuses the others. */
  void limitFreePlaces(int policy, int most) {
    int queue = kernel.createQueue("free_places", Integer.BYTES, most);
    byte[] value =
        ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.nativeOrder()).putInt(queue).array();
    kernel.update(map("free_places"), 2 * policy, value);
    kernel.close(queue);
  }

  /** How many hints of a policy lead to a place, but for the first place, whose number is 0. */
  int hintsInUse(int policy) {
    Path pin = new Pins(bpffs).slot(2 * policy).resolve("hints");
    ByteBuffer hints =
        kernel.read(pin, map -> kernel.lookupAll(map, PlaceLimit.HINTS, Integer.BYTES));
    int inUse = 0;
    for (int hint = 0; hint < PlaceLimit.HINTS; hint++) {
      inUse += hints.getInt(hint * Integer.BYTES) != 0 ? 1 : 0;
    }
    return inUse;
  }

  /** How many of these equal frames pass now. */
  int passing(int frames, byte[] frame) {
    int passed = 0;
    for (int i = 0; i < frames; i++) {
      passed += passes(frame) ? 1 : 0;
    }
    return passed;
  }

  /** Removes the idle buckets of a policy; returns how many. */
  int sweep(int policy) {
    return sweepAt(policy, now);
  }

  /** The same at a time of the kernel's clock. */
  int sweepAt(int policy, long time) {
    return sweepRested(policy, time, 0);
  }

  /** Removes the buckets that by this time have been full for these nanoseconds. */
  int sweepRested(int policy, long time, long rest) {
    NodePolicy of = policies.get(policy);
    return sweeper.sweep(
        2 * policy,
        2 * policy,
        SlotIdentity.of(of, 0),
        line(of, START),
        Integer.MAX_VALUE,
        time,
        rest);
  }

  /**
   * Bends the axis to this policy's rate and burst, as the agent does.
   *
   * @param ahead nanoseconds from now to the bend
   * @return 0, or a negative errno
   */
  int change(int policy, NodePolicy to, long ahead) {
    int proposed = propose(policy, to, ahead);
    return proposed == 0 ? commit(policy, to) : proposed;
  }

  /** The first step of a change alone. */
  int propose(int policy, NodePolicy to, long ahead) {
    kernel.awaitGracePeriod();
    return changeStep(policy, ChangeStep.CHANGE_PROPOSE, line(to, now + ahead));
  }

  /** The second. */
  int commit(int policy, NodePolicy to) {
    return changeStep(policy, ChangeStep.CHANGE_COMMIT, line(to, now));
  }

  private int changeStep(int policy, int step, AxisLine line) {
    int change =
        kernel.load(
            compiled.resolve("parameters.bpf.o"),
            "change_parameters",
            Map.of("parameters", bpffs.resolve("parameters")),
            Map.of());
    try {
      return kernel.run(change, PolicySlots.changeStep(2 * policy, step, line, now));
    } finally {
      kernel.close(change);
    }
  }

  AxisLine line(NodePolicy policy, long t0) {
    return line(policy, Role.OWN, t0);
  }

  /** The parent bucket's. */
  AxisLine parentLine(NodePolicy policy, long t0) {
    return line(policy, Role.PARENT, t0);
  }

  private AxisLine line(NodePolicy policy, Role role, long t0) {
    return PolicySlots.line(SlotIdentity.of(policy, 0).as(role), policy, t0, cpus);
  }

  Counters counters(int policy) {
    int size = VerdictCountersLayout.STRUCT.size();
    Sums sums = Sums.of(kernel.lookupPerCpu(map(VerdictCountersLayout.MAP), 2 * policy, size));
    return new Counters(
        sums.of(VerdictCountersLayout.CONFORM_PACKETS),
        sums.of(VerdictCountersLayout.CONFORM_BYTES),
        sums.of(VerdictCountersLayout.EXCEED_PACKETS),
        sums.of(VerdictCountersLayout.EXCEED_BYTES),
        sums.of(VerdictCountersLayout.CONTENDED_PACKETS),
        sums.of(VerdictCountersLayout.OVERFLOW_PACKETS),
        sums.of(VerdictCountersLayout.MARKED_PACKETS),
        sums.of(VerdictCountersLayout.PARENT_EXCEED_PACKETS));
  }

  /** Of all kinds. */
  Failsafes failsafes() {
    Failsafes all = new Failsafes(0, 0);
    for (FailsafeTraffic each : FailsafeTraffic.values()) {
      Failsafes of = failsafes(each);
      all = new Failsafes(all.exempt() + of.exempt(), all.exceed() + of.exceed());
    }
    return all;
  }

  Failsafes failsafes(FailsafeTraffic traffic) {
    int size = FailsafeCountersLayout.STRUCT.size();
    Sums sums =
        Sums.of(kernel.lookupPerCpu(map(FailsafeCountersLayout.MAP), 0, size))
            .within(FailsafeCountersLayout.KIND, traffic.kind(), FailsafeCountLayout.STRUCT);
    return new Failsafes(
        sums.of(FailsafeCountLayout.EXEMPT_PACKETS), sums.of(FailsafeCountLayout.EXCEED_PACKETS));
  }

  long notIp() {
    return Sums.of(kernel.lookupPerCpu(map(NotIpLayout.MAP), 0, NotIpLayout.FRAMES.size()))
        .of(NotIpLayout.FRAMES);
  }

  @Override
  public void close() {
    kernel.close(program);
    maps.values().forEach(kernel::close);
    try {
      for (String map : maps.keySet()) {
        Files.deleteIfExists(bpffs.resolve(map));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

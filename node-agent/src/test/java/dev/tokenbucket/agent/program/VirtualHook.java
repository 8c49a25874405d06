package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.compile.ClassifierCompiler;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.kernel.ProgramTestRun;
import dev.tokenbucket.agent.kernel.ProgramTestRun.Merged;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The classifier in the kernel with a set of policies, on no interface and with its own time. */
final class VirtualHook implements AutoCloseable {
  static final long START = 1_000_000_000_000L;
  private static final int TC_ACT_SHOT = 2;
  private static final int TABLED =
      HookConfiguration.PER_SOURCE | HookConfiguration.PER_DESTINATION | HookConfiguration.PER_FLOW;

  /** A policy by its parameters and its flags in {@link HookConfiguration}. */
  record Policy(
      RateUnit unit,
      long rate,
      long burst,
      int flags,
      int capacity,
      int ipv4Prefix,
      int ipv6Prefix) {
    static Policy packets(long rate, long burst) {
      return new Policy(RateUnit.Packets, rate, burst, 0, 1, 32, 64);
    }

    static Policy bytes(long bits, long burst) {
      return new Policy(RateUnit.Bits, bits, burst, HookConfiguration.BYTES, 1, 32, 64);
    }

    Policy perSource(int places) {
      return keyed(HookConfiguration.PER_SOURCE, places);
    }

    Policy perDestination(int places) {
      return keyed(HookConfiguration.PER_DESTINATION, places);
    }

    Policy perFlow(int places) {
      return keyed(HookConfiguration.PER_FLOW, places);
    }

    private Policy keyed(int key, int places) {
      return new Policy(unit, rate, burst, flags | key, places, ipv4Prefix, ipv6Prefix);
    }

    Policy prefixes(int ipv4, int ipv6) {
      return new Policy(unit, rate, burst, flags, capacity, ipv4, ipv6);
    }

    Policy audited() {
      return new Policy(
          unit, rate, burst, flags | HookConfiguration.AUDIT, capacity, ipv4Prefix, ipv6Prefix);
    }
  }

  record Counters(
      long conformPackets,
      long conformBytes,
      long exceedPackets,
      long exceedBytes,
      long contended,
      long overflow) {}

  private final LinuxKernel kernel = new LinuxKernel();
  private final ProgramTestRun runner = new ProgramTestRun();
  private final Path bpffs;
  private final Path compiled;
  private final int program;
  private final Sweeper sweeper;
  private final Map<String, Integer> maps = new HashMap<>();
  private long now = START;

  /** Loads the classifier; {@code folder} is a BPF file system of this hook's own. */
  VirtualHook(Path folder, Path objects, Direction direction, List<Policy> policies) {
    bpffs = folder;
    Map<String, Path> pins = new HashMap<>();
    for (String map :
        List.of(
            "parameters", "shared_buckets", "bucket_tables", "flow_tables", "counters", "not_ip")) {
      pins.put(map, folder.resolve(map));
    }
    List<HookConfiguration.Entry> entries = new ArrayList<>();
    for (int slot = 0; slot < policies.size(); slot++) {
      entries.add(entry(slot, policies.get(slot)));
    }
    compiled = new ClassifierCompiler(objects).compile(List.of("TB_CLOCK_FROM_TIMESTAMP"));
    program =
        kernel.load(
            compiled.resolve("classifier.bpf.o"),
            "tokenbucket",
            pins,
            Map.of(".rodata.hook", new HookConfiguration(direction, true, entries).encode()));
    sweeper = new Sweeper(kernel, new Pins(folder), compiled);
    pins.forEach((name, pin) -> maps.put(name, kernel.open(pin)));
    for (int slot = 0; slot < policies.size(); slot++) {
      begin(slot, policies.get(slot));
    }
  }

  private static HookConfiguration.Entry entry(int slot, Policy policy) {
    return new HookConfiguration.Entry(
        slot, policy.flags(), policy.ipv4Prefix(), policy.ipv6Prefix());
  }

  private void begin(int slot, Policy policy) {
    boolean perFlow = (policy.flags() & HookConfiguration.PER_FLOW) != 0;
    if ((policy.flags() & TABLED) != 0) {
      int table = kernel.createHash("buckets", perFlow ? 40 : 20, 16, policy.capacity());
      kernel.update(
          map(perFlow ? "flow_tables" : "bucket_tables"),
          slot,
          ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(table).array());
      kernel.close(table);
    }
    byte[] line = line(policy).encode();
    kernel.update(
        map("parameters"),
        slot,
        ByteBuffer.allocate(2 * AxisLine.SIZE + 8).put(line).put(line).array());
  }

  private int map(String name) {
    Integer map = maps.get(name);
    if (map == null) {
      throw new IllegalArgumentException(name);
    }
    return map;
  }

  /** Lets time pass, in nanoseconds. */
  void pass(long nanos) {
    now += nanos;
  }

  /** Whether a frame passes now. */
  boolean passes(byte[] frame) {
    return passes(frame, Merged.NONE);
  }

  boolean passes(byte[] frame, Merged merged) {
    int verdict = runner.run(program, frame, now, merged);
    if (verdict != TC_ACT_SHOT && verdict != -1) {
      throw new IllegalStateException("verdict " + verdict + " is neither drop nor next");
    }
    return verdict != TC_ACT_SHOT;
  }

  /** How many of so many equal frames pass now. */
  int passing(int frames, byte[] frame) {
    int passed = 0;
    for (int i = 0; i < frames; i++) {
      passed += passes(frame) ? 1 : 0;
    }
    return passed;
  }

  /** Removes the idle buckets of a policy; returns how many. */
  int sweep(int slot, Policy policy) {
    BucketPer per =
        (policy.flags() & HookConfiguration.PER_FLOW) != 0 ? BucketPer.Flow : BucketPer.SourceIP;
    SlotIdentity identity =
        new SlotIdentity("p", "p", policy.unit(), per, policy.capacity(), 32, 64, 0);
    return sweeper.sweep(slot, identity, line(policy), Integer.MAX_VALUE, now);
  }

  /**
   * Bends the axis to this policy's rate and burst, as the agent does.
   *
   * @param ahead nanoseconds from now to the bend
   * @return 0, or a negative errno
   */
  int change(int slot, Policy policy, long ahead) {
    int change =
        kernel.load(
            compiled.resolve("parameters.bpf.o"),
            "change_parameters",
            Map.of("parameters", bpffs.resolve("parameters")),
            Map.of());
    try {
      kernel.awaitGracePeriod();
      ByteBuffer context =
          ByteBuffer.allocate(8 + AxisLine.SIZE + 8).order(ByteOrder.nativeOrder());
      context.putInt(slot).putInt(0).put(line(policy, now + ahead).encode()).putLong(now);
      return kernel.run(change, context.array());
    } finally {
      kernel.close(change);
    }
  }

  private static AxisLine line(Policy policy) {
    return line(policy, START);
  }

  private static AxisLine line(Policy policy, long t0) {
    return AxisLine.of(policy.unit(), policy.rate(), policy.burst(), 1, t0);
  }

  Counters counters(int slot) {
    long[] sum = Programmer.sums(kernel.lookupPerCpu(map("counters"), slot, 48), 6);
    return new Counters(sum[0], sum[1], sum[2], sum[3], sum[4], sum[5]);
  }

  long notIp() {
    return Programmer.sums(kernel.lookupPerCpu(map("not_ip"), 0, 8), 1)[0];
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

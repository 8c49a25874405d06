package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.kernel.Attachment;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.program.RunningHook.Buckets;
import dev.tokenbucket.agent.program.RunningHook.RunningPolicy;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the kernel runs of ours, read from links, programs and maps. */
final class ReadBack {
  private final Kernel kernel;
  private final PolicySlots slots;
  private final HookPrograms programs;

  ReadBack(Kernel kernel, PolicySlots slots, HookPrograms programs) {
    this.kernel = kernel;
    this.slots = slots;
    this.programs = programs;
  }

  /** What all slots say, read once for all hooks. */
  private record Slots(
      Map<Integer, SlotIdentity> identities,
      PolicySlots.Lines lines,
      PolicySlots.TableCounters tables) {}

  /** Of these, the ones whose interface is there and whose program and maps are ones we know. */
  List<RunningHook> hooks(List<Attachment> hooks) {
    if (hooks.isEmpty() || !slots.arePinned()) {
      return List.of();
    }
    Slots all = new Slots(slots.all(), slots.linesInForce(), slots.tableCounters());
    return hooks.stream().flatMap(hook -> hook(hook, all).stream()).toList();
  }

  private Optional<RunningHook> hook(Attachment hook, Slots all) {
    if (!Pins.HOOK_MAPS.stream().allMatch(map -> Files.exists(hook.folder().resolve(map)))) {
      return Optional.empty();
    }
    return kernel
        .attached(hook)
        .flatMap(
            attached ->
                programs
                    .running(hook, attached)
                    .map(running -> hook(hook, attached, running, all)));
  }

  private RunningHook hook(
      Attachment hook,
      Kernel.Attached attached,
      HookConfiguration.Running configuration,
      Slots all) {
    int cpus = kernel.possibleCpus();
    ByteBuffer counters =
        kernel.read(
            hook.folder().resolve("counters"),
            map -> kernel.lookupAll(map, PolicySlots.SLOTS, cpus * PolicySlots.COUNTERS_SIZE));
    List<RunningPolicy> policies = new ArrayList<>();
    for (HookConfiguration.Entry entry : configuration.policies()) {
      SlotIdentity identity = all.identities().get(entry.slot());
      if (identity != null) {
        long[] count = Sums.of(counters, entry.slot(), PolicySlots.COUNTERS_SIZE, cpus, 8);
        policies.add(policy(entry, identity, count, all));
      }
    }
    long[] failsafe = sums(hook, "failsafe_counters", 0, 2);
    return new RunningHook(
        kernel.interfaceName(attached.ifindex()).orElse("index " + attached.ifindex()),
        configuration.direction(),
        attached.hook().text(),
        attached.programId(),
        sums(hook, "not_ip", 0, 1)[0],
        failsafe[0],
        failsafe[1],
        List.copyOf(policies));
  }

  private RunningPolicy policy(
      HookConfiguration.Entry entry, SlotIdentity identity, long[] count, Slots all) {
    AxisLine line = all.lines().at(entry.slot());
    return new RunningPolicy(
        identity.name(),
        identity.uid(),
        line.generation(),
        identity.unit(),
        line.ratePerSecond(identity.unit()),
        line.burst(identity.unit()),
        identity.per(),
        entry.action(),
        entry.mode(),
        count[0],
        count[1],
        count[2],
        count[3],
        count[4],
        count[5],
        count[6],
        slots
            .table(entry.slot(), identity, all.tables())
            .map(table -> buckets(identity, table))
            .orElse(null));
  }

  /** Where the kernel makes room itself it tells no number: what was added beyond capacity. */
  private static Buckets buckets(SlotIdentity identity, PolicySlots.Table table) {
    long present = Math.max(0, table.added() - table.removed());
    long used = Math.min(present, identity.capacity());
    return new Buckets(
        used,
        identity.capacity(),
        table.removed(),
        identity.evicts() ? present - used : 0,
        table.memory());
  }

  private long[] sums(Attachment hook, String name, int key, int fields) {
    return kernel.read(
        hook.folder().resolve(name),
        map -> Sums.of(kernel.lookupPerCpu(map, key, fields * Long.BYTES), fields));
  }
}

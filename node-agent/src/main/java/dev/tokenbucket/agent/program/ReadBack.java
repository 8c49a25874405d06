package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.kernel.Attachment;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.program.RunningHook.Buckets;
import dev.tokenbucket.agent.program.RunningHook.RunningPolicy;
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

  /** Of these, the ones whose interface is there and whose program is one that we know. */
  List<RunningHook> hooks(List<Attachment> hooks) {
    Map<Integer, SlotIdentity> identities = slots.all();
    return hooks.stream().flatMap(hook -> hook(hook, identities).stream()).toList();
  }

  private Optional<RunningHook> hook(Attachment hook, Map<Integer, SlotIdentity> identities) {
    return kernel
        .attached(hook)
        .flatMap(
            attached ->
                programs
                    .running(hook, attached)
                    .map(running -> hook(hook, attached, running, identities)));
  }

  private RunningHook hook(
      Attachment hook,
      Kernel.Attached attached,
      HookConfiguration.Running configuration,
      Map<Integer, SlotIdentity> identities) {
    List<RunningPolicy> policies = new ArrayList<>();
    for (HookConfiguration.Entry entry : configuration.policies()) {
      SlotIdentity identity = identities.get(entry.slot());
      if (identity != null) {
        policies.add(policy(hook, entry, identity));
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
      Attachment hook, HookConfiguration.Entry entry, SlotIdentity identity) {
    AxisLine line = slots.inForce(entry.slot());
    long[] count = sums(hook, "counters", entry.slot(), 8);
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
        slots.table(entry.slot(), identity).map(table -> buckets(identity, table)).orElse(null));
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

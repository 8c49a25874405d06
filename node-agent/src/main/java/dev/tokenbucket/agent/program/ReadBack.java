// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.hooks.HookConfiguration;
import dev.tokenbucket.agent.hooks.HookPrograms;
import dev.tokenbucket.agent.kernel.Attachment;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.KernelException;
import dev.tokenbucket.agent.kernel.KernelHooks;
import dev.tokenbucket.agent.layout.FailsafeCountLayout;
import dev.tokenbucket.agent.layout.FailsafeCountersLayout;
import dev.tokenbucket.agent.layout.NotIpLayout;
import dev.tokenbucket.agent.layout.SlotLimit;
import dev.tokenbucket.agent.layout.VerdictCountersLayout;
import dev.tokenbucket.agent.match.FailsafeTraffic;
import dev.tokenbucket.agent.program.RunningHook.Buckets;
import dev.tokenbucket.agent.program.RunningHook.Exempted;
import dev.tokenbucket.agent.program.RunningHook.Parent;
import dev.tokenbucket.agent.program.RunningHook.RunningPolicy;
import dev.tokenbucket.agent.slots.AxisLine;
import dev.tokenbucket.agent.slots.PolicySlots;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.agent.slots.Sums;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import dev.tokenbucket.api.v1alpha1.TokenRate;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The agent's running hooks, read from links, programs and maps. An agent in another process may
 * replace or remove these between two reads; then everything is read again, so that no hook in
 * force is left out and no vanished hook is an error.
 */
final class ReadBack {
  /**
   * The most reads. An agent replaces a hook's program once per change; the read does not wait for
   * more frequent replacements.
   */
  private static final int MOST_READS = 5;

  private final Kernel kernel;
  private final PolicySlots slots;
  private final HookPrograms programs;

  ReadBack(Kernel kernel, PolicySlots slots, HookPrograms programs) {
    this.kernel = kernel;
    this.slots = slots;
    this.programs = programs;
  }

  /** The maps' values for all slots, read once for all hooks. */
  private record Slots(
      Map<Integer, SlotIdentity> identities,
      PolicySlots.Lines lines,
      PolicySlots.TableCounters tables) {}

  /**
   * The given hooks whose interface exists and whose program and maps the agent knows.
   *
   * @param hooks supplies the hooks, called again for each read
   */
  List<RunningHook> hooks(Supplier<List<Attachment>> hooks) {
    Map<Attachment, KernelHooks.Attached> before = attached(hooks.get());
    for (int reads = 1; ; reads++) {
      List<RunningHook> read = read(before);
      Map<Attachment, KernelHooks.Attached> after = attached(hooks.get());
      // A slot in use is never freed: all that the same programs refer to existed the whole time.
      if (after.equals(before) || reads == MOST_READS) {
        return read;
      }
      before = after;
    }
  }

  private Map<Attachment, KernelHooks.Attached> attached(List<Attachment> hooks) {
    Map<Attachment, KernelHooks.Attached> attached = new LinkedHashMap<>();
    for (Attachment hook : hooks) {
      kernel.attached(hook).ifPresent(running -> attached.put(hook, running));
    }
    return attached;
  }

  private List<RunningHook> read(Map<Attachment, KernelHooks.Attached> hooks) {
    if (hooks.isEmpty() || !slots.arePinned()) {
      return List.of();
    }
    return ifPinned(() -> new Slots(slots.all(), slots.linesInForce(), slots.tableCounters()))
        .map(
            all ->
                hooks.entrySet().stream()
                    .flatMap(each -> hook(each.getKey(), each.getValue(), all).stream())
                    .toList())
        .orElse(List.of());
  }

  private Optional<RunningHook> hook(Attachment hook, KernelHooks.Attached attached, Slots all) {
    return ifPinned(() -> programs.running(hook, attached))
        .flatMap(Function.identity())
        .flatMap(running -> ifPinned(() -> hook(hook, attached, running, all)));
  }

  /** Reads; empty if a pin that the read needs is missing. */
  private static <T> Optional<T> ifPinned(Supplier<T> read) {
    try {
      return Optional.of(read.get());
    } catch (KernelException e) {
      if (e.isMissing()) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private RunningHook hook(
      Attachment hook,
      KernelHooks.Attached attached,
      HookConfiguration.Running configuration,
      Slots all) {
    int cpus = kernel.possibleCpus();
    ByteBuffer counters =
        kernel.read(
            hook.folder().resolve(VerdictCountersLayout.MAP),
            map ->
                kernel.lookupAll(
                    map, SlotLimit.MAX_SLOTS, cpus * VerdictCountersLayout.STRUCT.size()));
    List<RunningPolicy> policies = new ArrayList<>();
    for (HookConfiguration.Entry entry : configuration.policies()) {
      SlotIdentity identity = all.identities().get(entry.slot());
      if (identity != null) {
        Sums sums = Sums.of(counters, entry.slot(), VerdictCountersLayout.STRUCT, cpus);
        policies.add(policy(entry, identity, sums, all));
      }
    }
    List<Exempted> failsafes =
        exempted(sums(hook, FailsafeCountersLayout.MAP, FailsafeCountersLayout.STRUCT.size()));
    return new RunningHook(
        kernel.interfaceName(attached.ifindex()).orElse("index " + attached.ifindex()),
        configuration.direction(),
        attached.hook().text(),
        attached.programId(),
        sums(hook, NotIpLayout.MAP, NotIpLayout.FRAMES.size()).of(NotIpLayout.FRAMES),
        failsafes.stream().mapToLong(Exempted::exemptPackets).sum(),
        failsafes.stream().mapToLong(Exempted::exceedPackets).sum(),
        failsafes,
        List.copyOf(policies));
  }

  private static List<Exempted> exempted(Sums counters) {
    return Stream.of(FailsafeTraffic.values())
        .map(
            traffic -> {
              Sums count =
                  counters.within(
                      FailsafeCountersLayout.KIND, traffic.kind(), FailsafeCountLayout.STRUCT);
              return new Exempted(
                  traffic.text(),
                  count.of(FailsafeCountLayout.EXEMPT_PACKETS),
                  count.of(FailsafeCountLayout.EXCEED_PACKETS));
            })
        .toList();
  }

  private RunningPolicy policy(
      HookConfiguration.Entry entry, SlotIdentity identity, Sums count, Slots all) {
    AxisLine line = all.lines().at(entry.slot());
    TokenRate rate = line.rate(identity.unit());
    return new RunningPolicy(
        identity.name(),
        identity.uid(),
        line.generation(),
        identity.unit(),
        rate.amount(),
        rate.periodUnlessSecond(),
        line.burst(identity.unit()),
        identity.per(),
        entry.action(),
        entry.mode(),
        count.of(VerdictCountersLayout.CONFORM_PACKETS),
        count.of(VerdictCountersLayout.CONFORM_BYTES),
        count.of(VerdictCountersLayout.EXCEED_PACKETS),
        count.of(VerdictCountersLayout.EXCEED_BYTES),
        count.of(VerdictCountersLayout.CONTENDED_PACKETS),
        count.of(VerdictCountersLayout.OVERFLOW_PACKETS),
        count.of(VerdictCountersLayout.MARKED_PACKETS),
        entry.parentSlot().isPresent()
            ? parent(all.lines().at(entry.parentSlot().getAsInt()), identity.unit(), count)
            : null,
        slots
            .table(entry.slot(), identity, all.tables())
            .map(table -> buckets(identity, table))
            .orElse(null));
  }

  private static Parent parent(AxisLine line, RateUnit unit, Sums count) {
    TokenRate rate = line.rate(unit);
    return new Parent(
        rate.amount(),
        rate.periodUnlessSecond(),
        line.burst(unit),
        count.of(VerdictCountersLayout.PARENT_EXCEED_PACKETS));
  }

  /**
   * A table that the kernel evicts from has no count of evictions: it is the additions beyond
   * capacity.
   */
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

  /** The sums of a hook's map with one entry. */
  private Sums sums(Attachment hook, String name, int valueSize) {
    return kernel.read(
        hook.folder().resolve(name), map -> Sums.of(kernel.lookupPerCpu(map, 0, valueSize)));
  }
}

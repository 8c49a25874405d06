// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.top;

import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.pins.Layouts;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.program.Programmer;
import dev.tokenbucket.agent.program.RunningHook.Parent;
import dev.tokenbucket.agent.program.RunningHook.RunningPolicy;
import dev.tokenbucket.agent.slots.AxisLine;
import dev.tokenbucket.agent.slots.BucketTables;
import dev.tokenbucket.agent.slots.PolicySlots;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.agent.slots.SlotIdentity.Role;
import dev.tokenbucket.agent.top.TopReport.PolicyRates;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads the maps repeatedly, and reports the changes in between. For one thread only. */
public final class Top {
  private static final double SECOND = 1e9;

  private final PolicySlots slots;
  private final BucketTables tables;
  private final Programmer programmer;
  private final int mostKeys;

  // The values last read.
  private Map<String, RunningPolicy> policies = Map.of();
  private final Map<String, KeyTable> byUid = new HashMap<>();
  private long readAt;

  /**
   * Reads once.
   *
   * @param mostKeys how many keys to report per policy
   */
  public Top(Kernel kernel, Path bpffs, Path objects, int mostKeys) {
    Pins pins = Layouts.on(bpffs).own();
    this.slots = new PolicySlots(kernel, pins, objects, any -> {});
    this.tables = new BucketTables(kernel, pins);
    this.programmer = new Programmer(kernel, bpffs, objects);
    this.mostKeys = mostKeys;
    read();
  }

  /** Reads again, and reports on the time since the last reading. */
  public TopReport next() {
    Map<String, RunningPolicy> before = policies;
    double seconds = read() / SECOND;
    List<PolicyRates> rates =
        policies.entrySet().stream()
            .filter(each -> before.containsKey(each.getKey()))
            .map(each -> rates(before.getOrDefault(each.getKey(), each.getValue()), each, seconds))
            .toList();
    return new TopReport(TopReport.SCHEMA, seconds, rates);
  }

  /** Whether any hook runs a program of the agent. */
  public boolean findsPolicies() {
    return !policies.isEmpty();
  }

  /** Reads the maps; returns the nanoseconds since the previous reading. */
  private long read() {
    Map<String, RunningPolicy> now = new LinkedHashMap<>();
    programmer
        .running()
        .forEach(hook -> hook.policies().forEach(each -> now.merge(each.uid(), each, Top::sum)));
    long moment = System.nanoTime();
    long nanos = moment - readAt;
    if (!now.isEmpty()) {
      PolicySlots.Lines lines = slots.linesInForce();
      Map<Integer, SlotIdentity> all = slots.all();
      byUid.keySet().retainAll(now.keySet());
      all.forEach((slot, identity) -> look(slot, identity, lines.at(slot)));
    }
    policies = now;
    readAt = moment;
    return nanos;
  }

  /**
   * Reads the keys of a table. The keys of tables that the kernel evicts from are in no place that
   * identifies them in the next reading.
   */
  private void look(int slot, SlotIdentity identity, AxisLine line) {
    if (identity.role() != Role.OWN || !identity.isSwept()) {
      return;
    }
    KeyTable table = byUid.get(identity.uid());
    if (table == null || !table.isOf(slot, identity)) {
      table = new KeyTable(tables, slot, identity);
      byUid.put(identity.uid(), table);
    }
    table.look(line, mostKeys);
  }

  /** A policy on several hooks has counters on each. */
  private static RunningPolicy sum(RunningPolicy one, RunningPolicy other) {
    return new RunningPolicy(
        one.name(),
        one.uid(),
        one.generation(),
        one.unit(),
        one.rate(),
        one.ratePeriod(),
        one.burst(),
        one.per(),
        one.action(),
        one.mode(),
        one.conformPackets() + other.conformPackets(),
        one.conformBytes() + other.conformBytes(),
        one.exceedPackets() + other.exceedPackets(),
        one.exceedBytes() + other.exceedBytes(),
        one.contendedPackets() + other.contendedPackets(),
        one.overflowPackets() + other.overflowPackets(),
        one.markedPackets() + other.markedPackets(),
        bothParents(one.parent(), other.parent()),
        one.buckets());
  }

  private static @Nullable Parent bothParents(@Nullable Parent one, @Nullable Parent other) {
    return one == null || other == null
        ? one
        : new Parent(
            one.rate(), one.ratePeriod(), one.burst(), one.exceedPackets() + other.exceedPackets());
  }

  private PolicyRates rates(
      RunningPolicy before, Map.Entry<String, RunningPolicy> entry, double seconds) {
    RunningPolicy now = entry.getValue();
    KeyTable table = byUid.get(entry.getKey());
    return new PolicyRates(
        now.name(),
        now.unit(),
        now.rate(),
        now.ratePeriod(),
        now.burst(),
        now.per(),
        now.mode(),
        rate(before.conformPackets(), now.conformPackets(), seconds),
        rate(before.conformBytes(), now.conformBytes(), seconds),
        rate(before.exceedPackets(), now.exceedPackets(), seconds),
        rate(before.exceedBytes(), now.exceedBytes(), seconds),
        table == null ? null : table.keys(),
        table == null ? null : table.limited(),
        table == null ? List.of() : table.worst());
  }

  /** The rate of a counter, zero for a counter that restarted in between. */
  private static double rate(long before, long now, double seconds) {
    return Math.max(0, now - before) / seconds;
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.observe;

import dev.tokenbucket.agent.hooks.HookConfiguration;
import dev.tokenbucket.agent.hooks.HookPrograms;
import dev.tokenbucket.agent.kernel.Attachment;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.KernelException;
import dev.tokenbucket.agent.kernel.KernelHooks.Attached;
import dev.tokenbucket.agent.layout.ObservationLayout;
import dev.tokenbucket.agent.pins.Layouts;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.slots.PolicySlots;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.agent.slots.SlotIdentity.Role;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The policies on this host's hooks, read repeatedly. */
final class ObservedPolicies {
  private final Kernel kernel;
  private final Pins pins;
  private final PolicySlots slots;
  private final HookPrograms programs;

  /** By slot, also of policies that are gone: their last packets may still be on the way. */
  private final Map<Integer, SlotIdentity> known = new HashMap<>();

  private Set<String> names = Set.of();
  private Set<Attachment> hooks = Set.of();
  private Set<Attachment> silent = Set.of();

  ObservedPolicies(Kernel kernel, Path bpffs, Path objects) {
    Layouts layouts = Layouts.on(bpffs);
    this.kernel = kernel;
    this.pins = layouts.own();
    this.slots = new PolicySlots(kernel, pins, objects, any -> {});
    this.programs = new HookPrograms(kernel, layouts, objects);
  }

  /** Reads the hooks again. One whose program the agent exchanges at this moment is left out. */
  void read() {
    known.putAll(slots.all());
    Set<String> now = new TreeSet<>();
    Set<Attachment> found = new HashSet<>();
    Set<Attachment> older = new HashSet<>();
    for (Attachment hook : pins.hooks()) {
      try {
        kernel
            .attached(hook)
            .ifPresent(
                attached -> {
                  found.add(hook);
                  if (!read(hook, attached, now)) {
                    older.add(hook);
                  }
                });
      } catch (KernelException e) {
        if (!e.isMissing()) {
          throw e;
        }
      }
    }
    names = now;
    hooks = found;
    silent = older;
  }

  /** Adds the names of a hook's policies; returns whether its program shows what exceeds. */
  private boolean read(Attachment hook, Attached attached, Set<String> to) {
    programs
        .running(hook, attached)
        .ifPresent(
            running ->
                running.policies().stream()
                    .map(HookConfiguration.Entry::slot)
                    .flatMap(slot -> at(slot).stream())
                    .forEach(policy -> to.add(policy.name())));
    Path ring = pins.map(ObserverRing.RINGS);
    return Files.exists(ring) && programs.uses(hook, attached, ring);
  }

  /** The policy that has, or last had, this slot. */
  Optional<SlotIdentity> at(int slot) {
    return Optional.ofNullable(known.get(slot));
  }

  /** The names of the policies in force. */
  Set<String> names() {
    return names;
  }

  Set<Attachment> hooks() {
    return hooks;
  }

  /** Hooks whose programs are of an agent that could not show what exceeds. */
  Set<Attachment> silent() {
    return silent;
  }

  /**
   * The slots of these policies, one bit each, as in {@code struct observation}.
   *
   * @param wanted names; empty for every policy, also for those to come
   */
  byte[] slotsOf(Set<String> wanted) {
    BitSet bits = new BitSet();
    if (wanted.isEmpty()) {
      bits.set(0, ObservationLayout.SLOTS.size() * Byte.SIZE);
    }
    slots
        .all()
        .forEach(
            (slot, policy) -> {
              if (wanted.contains(policy.name()) && policy.role() == Role.OWN) {
                bits.set(slot);
              }
            });
    return bits.toByteArray();
  }
}

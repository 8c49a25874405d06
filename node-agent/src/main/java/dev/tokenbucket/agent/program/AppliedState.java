// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.hooks.HookSet.HookKey;
import dev.tokenbucket.agent.hooks.HostLinks;
import dev.tokenbucket.agent.kernel.HookPoint;
import dev.tokenbucket.agent.kernel.KernelHooks;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.slots.PolicySlots;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The agent's state in the kernel, and the host's state that it depends on, at one moment. Buckets
 * and counters are left out, because packets change them.
 *
 * @param links the host's interfaces and default routes
 * @param pins all pinned paths
 * @param identities the identity of each slot, as in the map
 * @param parameters the parameters of each slot, as in the map
 * @param programs per hook, the kernel's ids of all programs on the hook, in order; empty on a
 *     kernel without TCX, save for XDP
 */
record AppliedState(
    HostLinks links,
    Set<Path> pins,
    ByteBuffer identities,
    ByteBuffer parameters,
    Map<HookKey, List<Long>> programs) {

  /** Reads the current state; empty if the maps are not pinned. */
  static Optional<AppliedState> read(
      KernelHooks kernel, Pins pins, PolicySlots slots, HostLinks links, Set<HookKey> hooks) {
    if (!slots.arePinned()) {
      return Optional.empty();
    }
    Map<HookKey, List<Long>> programs = new HashMap<>();
    hooks.forEach(hook -> programs.put(hook, programs(kernel, pins, hook)));
    return Optional.of(
        new AppliedState(
            links,
            below(pins.root()),
            slots.readIdentities(),
            slots.linesInForce().parameters(),
            Map.copyOf(programs)));
  }

  private static List<Long> programs(KernelHooks kernel, Pins pins, HookKey hook) {
    return hook.point() == HookPoint.XDP
        ? kernel.attached(pins.hook(hook.ifindex(), hook.point())).stream()
            .map(KernelHooks.Attached::programId)
            .toList()
        : kernel.tcxPrograms(hook.ifindex(), hook.point());
  }

  private static Set<Path> below(Path folder) {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.collect(Collectors.toUnmodifiableSet());
    } catch (IOException e) {
      throw new UncheckedIOException("reading " + folder, e);
    }
  }
}

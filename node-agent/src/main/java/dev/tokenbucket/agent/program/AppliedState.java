package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.hooks.HookSet.HookKey;
import dev.tokenbucket.agent.hooks.HostLinks;
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
 * What the kernel has of ours, and what of the host it follows from, at one moment. Buckets and
 * counters are left out: packets change them.
 *
 * @param links the host's interfaces and default routes
 * @param pins all that is pinned
 * @param identities whose each slot is, as in the map
 * @param parameters of each slot, as in the map
 * @param programs by hook the kernel's numbers of all programs on it, in their order; none on a
 *     kernel without TCX
 */
record AppliedState(
    HostLinks links,
    Set<Path> pins,
    ByteBuffer identities,
    ByteBuffer parameters,
    Map<HookKey, List<Long>> programs) {

  /** As things are now; empty where the maps are not pinned. */
  static Optional<AppliedState> read(
      KernelHooks kernel, Pins pins, PolicySlots slots, HostLinks links, Set<HookKey> hooks) {
    if (!slots.arePinned()) {
      return Optional.empty();
    }
    Map<HookKey, List<Long>> programs = new HashMap<>();
    hooks.forEach(hook -> programs.put(hook, kernel.tcxPrograms(hook.ifindex(), hook.direction())));
    return Optional.of(
        new AppliedState(
            links,
            below(pins.root()),
            slots.readIdentities(),
            slots.linesInForce().parameters(),
            Map.copyOf(programs)));
  }

  private static Set<Path> below(Path folder) {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.collect(Collectors.toUnmodifiableSet());
    } catch (IOException e) {
      throw new UncheckedIOException("reading " + folder, e);
    }
  }
}

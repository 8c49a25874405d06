// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.hooks;

import dev.tokenbucket.agent.hooks.HookSet.HookKey;
import dev.tokenbucket.agent.kernel.Attachment;
import dev.tokenbucket.agent.kernel.HookPoint;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.KernelException;
import dev.tokenbucket.agent.kernel.KernelHooks;
import dev.tokenbucket.agent.kernel.KernelPrograms;
import dev.tokenbucket.agent.kernel.XdpRefusedException;
import dev.tokenbucket.agent.log.Reason;
import dev.tokenbucket.agent.pins.Layouts;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The programs on the host's hooks. A set of policies is exchanged as a whole, by replacing one
 * program with another. A program that an agent of another layout left on a hook is replaced in the
 * same way, so no packet finds the hook without a program.
 */
public final class HookPrograms {
  private static final Logger LOG = LoggerFactory.getLogger(HookPrograms.class);

  /** The object of the programs on TC hooks, which also serves to create the maps. */
  private static final String OBJECT = "classifier.bpf.o";

  private static final String XDP_OBJECT = "xdp.bpf.o";
  private static final String PROGRAM = "tokenbucket";
  private static final String CONFIGURATION = ".rodata.hook";
  private static final int EINVAL = 22;

  private final Kernel kernel;
  private final Layouts layouts;
  private final Pins pins;
  private final Path objects;
  private final ProgramPins programPins;
  private final AtomicReference<ProgramLoads> loads = new AtomicReference<>(ProgramLoads.NONE);

  public HookPrograms(Kernel kernel, Layouts layouts, Path objects) {
    this.kernel = kernel;
    this.layouts = layouts;
    this.pins = layouts.own();
    this.objects = objects;
    this.programPins = new ProgramPins(kernel);
  }

  /** Creates and pins the host's missing maps, by loading a program once. */
  public void prepareMaps() {
    Pins.makeFolder(pins.root().resolve("hooks"));
    Path scratch = pins.root().resolve("hooks").resolve("scratch");
    // An agent that was killed at this point left the folder.
    Pins.remove(scratch);
    if (pins.hasHostMaps()) {
      return;
    }
    Pins.makeFolder(scratch);
    try {
      kernel.close(
          kernel.load(objects.resolve(OBJECT), PROGRAM, pins.ofClassifier(scratch), Map.of()));
    } finally {
      Pins.remove(scratch);
    }
  }

  /**
   * Makes sure that the hook runs a program with this configuration and no other program of the
   * agent.
   */
  public void attach(HookKey hook, HookConfiguration wanted, List<NodePolicy> on) {
    Attachment at = at(hook);
    Optional<KernelHooks.Attached> there = kernel.attached(at);
    if (there.isEmpty()) {
      remove(at);
    } else {
      // The remains of an agent that was killed while it exchanged the program.
      kernel.settle(at);
      ProgramPins.removeExcept(at, there.get().programId());
    }
    if (there.filter(running -> isWanted(at, running.programId(), wanted)).isPresent()) {
      return;
    }
    Pins.makeFolder(at.folder());
    String done = exchange(at, there.isPresent(), wanted);
    List<String> policies =
        on.stream().map(p -> p.name() + " generation " + p.generation()).toList();
    LOG.atInfo()
        .addKeyValue("interface", hook.interfaceName())
        .addKeyValue("direction", hook.direction())
        .addKeyValue("hook", hook.point())
        .addKeyValue("policies", policies)
        .log("{} {} on {}: {}", done, hook.point(), hook.interfaceName(), policies);
  }

  private boolean isWanted(Attachment at, long programId, HookConfiguration wanted) {
    return ProgramPins.isOfVersion(at, programId, version())
        && programPins.configuration(at, programId).filter(wanted::isOf).isPresent()
        // A map that was unpinned and then created again is not the one that the program reads.
        && programPins.usesAll(at, programId, pins.ofClassifier(at.folder()).values());
  }

  private String version() {
    return String.valueOf(objects.getFileName());
  }

  /**
   * Attaches a program with this configuration.
   *
   * @return the action taken, for the log
   * @throws IllegalStateException if the kernel accepted each step and still runs another program
   */
  private String exchange(Attachment at, boolean replaces, HookConfiguration wanted) {
    KernelPrograms.ProgramAndMap loaded = load(at, wanted);
    try {
      long id = programPins.keep(at, loaded, version());
      String done = replaces ? replace(loaded.program(), at) : attach(loaded.program(), at);
      Optional<KernelHooks.Attached> running = kernel.attached(at);
      if (running.isEmpty() || !isWanted(at, running.get().programId(), wanted)) {
        throw new IllegalStateException(
            "%s runs %s after program %d was attached; the agent tries again"
                .formatted(
                    at.folder().getFileName(),
                    running
                        .map(other -> "program " + other.programId())
                        .orElse("no Tokenbucket program"),
                    id));
      }
      ProgramPins.removeExcept(at, id);
      return done;
    } finally {
      kernel.close(loaded.program());
      kernel.close(loaded.map());
    }
  }

  private KernelPrograms.ProgramAndMap load(Attachment at, HookConfiguration wanted) {
    long start = System.nanoTime();
    KernelPrograms.ProgramAndMap loaded;
    try {
      loaded =
          kernel.loadWithMap(
              objects.resolve(object(at.point())),
              PROGRAM,
              pins.ofClassifier(at.folder()),
              Map.of(CONFIGURATION, wanted.encode()),
              wanted.maps(),
              CONFIGURATION);
    } catch (KernelException e) {
      throw at.point() == HookPoint.XDP && e.errno() == EINVAL
          ? new XdpRefusedException(
              "the kernel does not load the program; XDP programs need Linux 5.18 or newer")
          : e;
    }
    Duration taken = Duration.ofNanos(System.nanoTime() - start);
    loads.updateAndGet(before -> before.and(taken));
    return loaded;
  }

  private static String object(HookPoint point) {
    return point == HookPoint.XDP ? XDP_OBJECT : OBJECT;
  }

  /** The loads so far; callable from any thread. */
  public ProgramLoads loads() {
    return Objects.requireNonNull(loads.get());
  }

  /** Returns the action taken, for the log, like {@link #attach(int, Attachment)}. */
  private String replace(int program, Attachment at) {
    kernel.replace(at, program);
    return "replaced the program of";
  }

  private String attach(int program, Attachment at) {
    Optional<Attachment> other = ofAnotherLayout(at);
    if (other.isEmpty()) {
      kernel.attach(program, at);
      return "attached to";
    }
    // The order matters: the program that the agent's own folder pins runs on the agent's own maps,
    // even if the agent is killed in between.
    kernel.replace(other.get(), program);
    other.get().handTo(at);
    return "took over";
  }

  private Optional<Attachment> ofAnotherLayout(Attachment at) {
    List<Attachment> others =
        layouts.others().stream().map(layout -> layout.hook(at.ifindex(), at.point())).toList();
    Optional<Attachment> attached =
        others.stream().filter(other -> kernel.attached(other).isPresent()).findFirst();
    if (attached.isEmpty()) {
      others.forEach(this::remove);
    }
    return attached;
  }

  /**
   * The configuration of the program on one of the agent's hooks; empty if the agent does not know
   * the program.
   */
  public Optional<HookConfiguration.Running> running(
      Attachment hook, KernelHooks.Attached attached) {
    return programPins.configuration(hook, attached.programId());
  }

  /** Whether the program on a hook uses one of the host's pinned maps. */
  public boolean uses(Attachment hook, KernelHooks.Attached attached, Path map) {
    return programPins.usesAll(hook, attached.programId(), List.of(map));
  }

  /** The name of the folder of BPF objects that a hook's program was loaded from. */
  public Optional<String> version(Attachment hook, KernelHooks.Attached attached) {
    return ProgramPins.version(hook, attached.programId());
  }

  /** The folder of a hook's pins. */
  public Attachment at(HookKey hook) {
    return pins.hook(hook.ifindex(), hook.point());
  }

  /**
   * Frees all other hooks. A failure on one hook does not stop the others.
   *
   * @return the reasons why hooks could not be freed
   */
  public List<String> removeExcept(Set<HookKey> kept) {
    Set<Path> folders = new HashSet<>();
    kept.forEach(hook -> folders.add(at(hook).folder()));
    List<String> problems = new ArrayList<>();
    for (Attachment hook : pins.hooks()) {
      if (!folders.contains(hook.folder())) {
        try {
          detachAndLog(hook);
        } catch (RuntimeException e) {
          problems.add(
              "detaching from %s: %s".formatted(hook.folder().getFileName(), Reason.of(e)));
        }
      }
    }
    return problems;
  }

  /**
   * The slots that the programs on the agent's hooks use, as the programs report.
   *
   * @return empty if a program's configuration can't be read
   */
  public Optional<Set<Integer>> slotsInUse() {
    Set<Integer> slots = new HashSet<>();
    for (Attachment hook : pins.hooks()) {
      Optional<KernelHooks.Attached> attached = kernel.attached(hook);
      if (attached.isPresent()) {
        Optional<HookConfiguration.Running> running = running(hook, attached.get());
        if (running.isEmpty()) {
          return Optional.empty();
        }
        running.get().policies().forEach(entry -> slots.add(entry.slot()));
      }
    }
    return Optional.of(slots);
  }

  /** Removes another layout: first the hooks that were not taken over, then the layout's maps. */
  public void removeLayout(Pins other) {
    other.hooks().stream()
        .filter(hook -> kernel.attached(hook).isPresent())
        .forEach(this::detachAndLog);
    layouts.remove(other);
  }

  private void detachAndLog(Attachment hook) {
    remove(hook);
    if (kernel.attached(hook).isPresent()) {
      throw new IllegalStateException(
          hook.folder().getFileName() + " still runs a Tokenbucket program");
    }
    LOG.atInfo()
        .addKeyValue("ifindex", hook.ifindex())
        .addKeyValue("hook", hook.point())
        .log("detached from {}", hook.folder().getFileName());
  }

  /** Frees the hook first, then removes its maps. */
  private void remove(Attachment hook) {
    kernel.detach(hook);
    Pins.remove(hook.folder());
  }
}

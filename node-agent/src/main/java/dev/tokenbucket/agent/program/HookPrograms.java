package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.kernel.Attachment;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.program.HookSet.HookKey;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The programs on the host's hooks. A set is exchanged as a whole: one program for another. So is
 * what an agent of another layout left on a hook: no packet finds the hook without a program.
 */
final class HookPrograms {
  private static final Logger LOG = LoggerFactory.getLogger(HookPrograms.class);
  private static final String OBJECT = "classifier.bpf.o";
  private static final String PROGRAM = "tokenbucket";

  /** Begins the name of a folder among a hook's pins; the rest says which objects are attached. */
  private static final String VERSION = "version-";

  private final Kernel kernel;
  private final Layouts layouts;
  private final Pins pins;
  private final Path objects;

  HookPrograms(Kernel kernel, Layouts layouts, Path objects) {
    this.kernel = kernel;
    this.layouts = layouts;
    this.pins = layouts.own();
    this.objects = objects;
  }

  /** Creates and pins the host's maps where they are missing, by loading a program once. */
  void prepareMaps() {
    makeFolder(pins.root().resolve("hooks"));
    if (Pins.HOST_MAPS.stream().allMatch(map -> Files.exists(pins.map(map)))) {
      return;
    }
    Path scratch = pins.root().resolve("hooks").resolve("scratch");
    makeFolder(scratch);
    try {
      kernel.close(
          kernel.load(objects.resolve(OBJECT), PROGRAM, pins.ofClassifier(scratch), Map.of()));
    } finally {
      Pins.remove(scratch);
    }
  }

  private static void makeFolder(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sees to it that the hook runs a program made for this, and nothing else of ours. */
  void attach(HookKey hook, HookConfiguration wanted, List<NodePolicy> on) {
    Attachment at = pins.hook(hook.ifindex(), hook.direction());
    Optional<Kernel.Attached> there = kernel.attached(at);
    Path version = at.folder().resolve(VERSION + objects.getFileName());
    if (there.isPresent()
        && Files.exists(version)
        && running(there.get()).filter(wanted::isOf).isPresent()) {
      return;
    }
    if (there.isEmpty()) {
      remove(at);
    }
    makeFolder(at.folder());
    Pins.entries(at.folder()).stream().filter(HookPrograms::isVersion).forEach(Pins::remove);
    int program =
        kernel.load(
            objects.resolve(OBJECT),
            PROGRAM,
            pins.ofClassifier(at.folder()),
            Map.of(".rodata.hook", wanted.encode()),
            wanted.maps());
    try {
      String done = there.isPresent() ? replace(program, at) : attach(program, at);
      makeFolder(version);
      LOG.info(
          "{} {} on {}: {}",
          done,
          hook.direction(),
          hook.interfaceName(),
          on.stream().map(p -> p.name() + " generation " + p.generation()).toList());
    } finally {
      kernel.close(program);
    }
  }

  private static boolean isVersion(Path entry) {
    return String.valueOf(entry.getFileName()).startsWith(VERSION);
  }

  /** Returns what was done, for the log; so does {@link #attach(int, Attachment)}. */
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
    // In this order: what our folder keeps runs on our maps, also when we are killed in between.
    kernel.replace(other.get(), program);
    other.get().handTo(at);
    return "took over";
  }

  private Optional<Attachment> ofAnotherLayout(Attachment at) {
    List<Attachment> others =
        layouts.others().stream().map(layout -> layout.hook(at.ifindex(), at.direction())).toList();
    Optional<Attachment> attached =
        others.stream().filter(other -> kernel.attached(other).isPresent()).findFirst();
    if (attached.isEmpty()) {
      others.forEach(this::remove);
    }
    return attached;
  }

  /** What a program of ours was made for. */
  Optional<HookConfiguration.Running> running(Kernel.Attached attached) {
    return kernel
        .readOnlyData(attached.programId(), HookConfiguration.SIZE)
        .map(HookConfiguration.Running::decode);
  }

  void removeExcept(Set<HookKey> kept) {
    Set<Path> folders = new HashSet<>();
    kept.forEach(hook -> folders.add(pins.hook(hook.ifindex(), hook.direction()).folder()));
    pins.hooks().stream()
        .filter(hook -> !folders.contains(hook.folder()))
        .forEach(this::detachAndLog);
  }

  /** Removes another layout: the hooks that were not taken over first, then its maps. */
  void removeLayout(Pins other) {
    other.hooks().stream()
        .filter(hook -> kernel.attached(hook).isPresent())
        .forEach(this::detachAndLog);
    layouts.remove(other);
  }

  private void detachAndLog(Attachment hook) {
    remove(hook);
    LOG.info("detached from {}", hook.folder().getFileName());
  }

  /** The hook first, so that it is free before its maps go. */
  private void remove(Attachment hook) {
    kernel.detach(hook);
    Pins.remove(hook.folder());
  }
}

package dev.tokenbucket.agent.hooks;

import dev.tokenbucket.agent.kernel.Attachment;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.KernelPrograms;
import dev.tokenbucket.agent.pins.Pins;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * The programs of one hook, each with its configuration pinned in a folder named by the program's
 * number. So what a hook runs can be read from the number that the kernel tells: the pinned program
 * of that number says by which maps it goes, and the pinned configuration is one of them. A folder
 * is complete before its program is attached, and removed when another one is.
 */
final class ProgramPins {
  private static final String PREFIX = "program-";
  private static final String PROGRAM = "program";
  private static final String CONFIGURATION = "configuration";
  private static final String VERSION = "version-";

  private final Kernel kernel;

  ProgramPins(Kernel kernel) {
    this.kernel = kernel;
  }

  private static Path folder(Attachment hook, long programId) {
    return hook.folder().resolve(PREFIX + programId);
  }

  /**
   * Pins what was loaded for a hook.
   *
   * @param version of the objects that it was loaded from
   * @return the program's number
   */
  long keep(Attachment hook, KernelPrograms.ProgramAndMap loaded, String version) {
    long id = kernel.programId(loaded.program());
    Path folder = folder(hook, id);
    // The kernel gives numbers anew in the end: what is there is of a program that is gone.
    Pins.remove(folder);
    Pins.makeFolder(folder.resolve(VERSION + version));
    kernel.pin(loaded.program(), folder.resolve(PROGRAM));
    kernel.pin(loaded.map(), folder.resolve(CONFIGURATION));
    return id;
  }

  /** Whether an attached program was loaded from objects of this version. */
  static boolean isOfVersion(Attachment hook, long programId, String version) {
    return Files.exists(folder(hook, programId).resolve(VERSION + version));
  }

  /** The version of the objects that an attached program was loaded from. */
  static Optional<String> version(Attachment hook, long programId) {
    return Pins.entries(folder(hook, programId)).stream()
        .map(entry -> String.valueOf(entry.getFileName()))
        .filter(name -> name.startsWith(VERSION))
        .map(name -> name.substring(VERSION.length()))
        .findFirst();
  }

  /** Removes the pins of all the hook's other programs. */
  static void removeExcept(Attachment hook, long programId) {
    Path kept = folder(hook, programId);
    Pins.entries(hook.folder()).stream()
        .filter(entry -> String.valueOf(entry.getFileName()).startsWith(PREFIX))
        .filter(entry -> !entry.equals(kept))
        .forEach(Pins::remove);
  }

  /** The configuration of a program that a hook runs; empty where it is none that we know. */
  Optional<HookConfiguration.Running> configuration(Attachment hook, long programId) {
    Path folder = folder(hook, programId);
    if (!Files.exists(folder.resolve(CONFIGURATION))) {
      return Optional.empty();
    }
    return kernel.read(
        folder.resolve(PROGRAM),
        program ->
            kernel.programId(program) == programId
                ? kernel.read(folder.resolve(CONFIGURATION), map -> configuration(program, map))
                : Optional.empty());
  }

  private Optional<HookConfiguration.Running> configuration(int program, int map) {
    return kernel.mapIds(program).contains(kernel.mapId(map))
        ? Optional.of(
            HookConfiguration.Running.decode(kernel.lookup(map, 0, HookConfiguration.SIZE)))
        : Optional.empty();
  }

  /** Whether a program that a hook runs uses the maps that are pinned at all of these. */
  boolean usesAll(Attachment hook, long programId, Collection<Path> maps) {
    List<Long> used = kernel.read(folder(hook, programId).resolve(PROGRAM), kernel::mapIds);
    return maps.stream()
        .allMatch(pin -> Files.exists(pin) && used.contains(kernel.read(pin, kernel::mapId)));
  }
}

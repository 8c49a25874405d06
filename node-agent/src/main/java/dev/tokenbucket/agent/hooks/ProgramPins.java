// SPDX-License-Identifier: Apache-2.0
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
 * The programs of one hook, each pinned together with its configuration in a folder named after the
 * program's id. So the agent can find what a hook runs from the id that the kernel reports: the
 * pinned program with that id lists the maps it uses, and the pinned configuration is one of these
 * maps. A folder is complete before its program is attached, and removed when another program is
 * attached.
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
   * Pins a program and a configuration loaded for a hook.
   *
   * @param version the version of the objects that the program was loaded from
   * @return the program's id
   */
  long keep(Attachment hook, KernelPrograms.ProgramAndMap loaded, String version) {
    long id = kernel.programId(loaded.program());
    Path folder = folder(hook, id);
    // The kernel reuses ids eventually: an existing folder belongs to a program that is gone.
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

  /**
   * The configuration of a program that a hook runs; empty if the agent does not know the program.
   */
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

  /** Whether a program that a hook runs uses the maps pinned at all of these paths. */
  boolean usesAll(Attachment hook, long programId, Collection<Path> maps) {
    List<Long> used = kernel.read(folder(hook, programId).resolve(PROGRAM), kernel::mapIds);
    return maps.stream()
        .allMatch(pin -> Files.exists(pin) && used.contains(kernel.read(pin, kernel::mapId)));
  }
}

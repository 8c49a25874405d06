// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import dev.tokenbucket.testing.Daemon;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A node's control groups in every hierarchy of this machine. The kubelet creates those of pods,
 * but not their common parent. A cpuset is usable only once it has CPUs and memory.
 *
 * @param name the group's name, with a leading slash
 */
record CgroupsV1(String name) {
  private static final Path ROOT = Path.of("/sys/fs/cgroup");
  private static final Duration EMPTY = Duration.ofSeconds(10);

  /** The group's folders; a single one if this machine has only the unified hierarchy. */
  private List<Path> folders() throws IOException {
    if (Files.exists(ROOT.resolve("cgroup.controllers"))) {
      return List.of(ROOT.resolve(name.substring(1)));
    }
    try (Stream<Path> hierarchies = Files.list(ROOT)) {
      return hierarchies
          .filter(hierarchy -> Files.isDirectory(hierarchy) && !Files.isSymbolicLink(hierarchy))
          .map(hierarchy -> hierarchy.resolve(name.substring(1)))
          .toList();
    }
  }

  void make() throws IOException {
    for (Path folder : folders()) {
      Files.createDirectories(folder);
      for (String file : List.of("cpuset.cpus", "cpuset.mems")) {
        if (Files.exists(folder.resolve(file))
            && !Files.exists(ROOT.resolve("cgroup.controllers"))) {
          Files.writeString(folder.resolve(file), Files.readString(folder.resolveSibling(file)));
        }
      }
    }
  }

  /** Removes the groups once they contain no process. */
  void remove() {
    long end = System.nanoTime() + EMPTY.toNanos();
    while (!tryRemove() && System.nanoTime() < end) {
      Daemon.pause(Duration.ofMillis(50));
    }
  }

  private boolean tryRemove() {
    try {
      for (Path folder : folders()) {
        if (Files.exists(folder)) {
          removeTree(folder);
        }
      }
      return true;
    } catch (IOException | UncheckedIOException e) {
      return false; // a process in it has not ended yet
    }
  }

  private static void removeTree(Path top) throws IOException {
    List<Path> groups;
    try (Stream<Path> all = Files.walk(top)) {
      groups = all.filter(Files::isDirectory).sorted(Comparator.reverseOrder()).toList();
    }
    for (Path group : groups) {
      Files.delete(group);
    }
  }
}

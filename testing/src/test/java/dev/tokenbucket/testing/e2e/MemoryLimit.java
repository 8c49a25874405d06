// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import dev.tokenbucket.testing.StepFailedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The memory limit of a container, set through its control group.
 *
 * @param group the folder in the memory hierarchy
 */
record MemoryLimit(Path group) {
  private static final Path HIERARCHY = Path.of("/sys/fs/cgroup/memory");

  static MemoryLimit ofContainer(long process) {
    Path groups = Path.of("/proc/" + process + "/cgroup");
    try {
      return Files.readAllLines(groups).stream()
          .map(line -> line.split(":", 3))
          .filter(fields -> fields[1].equals("memory"))
          .map(fields -> new MemoryLimit(HIERARCHY.resolve(fields[2].substring(1))))
          .findFirst()
          .orElseThrow(() -> new StepFailedException(groups + " names no group of memory", null));
    } catch (IOException e) {
      throw new StepFailedException("reading " + groups, e);
    }
  }

  /**
   * Lowers the limit to the memory in use. The kernel refuses a limit below the memory that is in
   * use and cannot be reclaimed.
   */
  void toWhatIsUsed() {
    for (long megabytes = used() >> 20; ; megabytes++) {
      try {
        Files.writeString(group.resolve("memory.limit_in_bytes"), "" + (megabytes << 20));
        return;
      } catch (IOException e) {
        if (megabytes > 1024) {
          throw new StepFailedException("limiting the memory of " + group, e);
        }
      }
    }
  }

  private long used() {
    try {
      long rss =
          Files.readAllLines(group.resolve("memory.stat")).stream()
              .filter(line -> line.startsWith("rss "))
              .mapToLong(line -> Long.parseLong(line.substring(4)))
              .sum();
      return Math.max(1 << 20, rss);
    } catch (IOException e) {
      throw new StepFailedException("reading the memory of " + group, e);
    }
  }
}

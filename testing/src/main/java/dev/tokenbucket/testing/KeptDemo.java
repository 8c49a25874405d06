// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A demo that was left running, so that it can be ended later.
 *
 * @param pids its processes, in the order in which they are to end
 * @param mounts its BPF file systems
 */
record KeptDemo(List<Long> pids, List<String> namespaces, List<String> mounts, String folder) {
  static final Path FILE = Path.of("/run/tokenbucket-demo.json");

  private static final Duration END = Duration.ofSeconds(15);

  void keep() {
    try {
      new ObjectMapper().writeValue(FILE.toFile(), this);
    } catch (IOException e) {
      throw new StepFailedException("writing " + FILE + ": " + e.getMessage(), e);
    }
  }

  /** Ends the kept demo and removes its remains. */
  static void stop() {
    if (!Files.exists(FILE)) {
      System.out.println("no demo was kept");
      return;
    }
    try {
      KeptDemo kept = new ObjectMapper().readValue(FILE.toFile(), KeptDemo.class);
      kept.pids().forEach(kept::end);
      kept.mounts().forEach(mount -> Commands.tryRun("rm", "-rf", mount + "/tokenbucket"));
      kept.mounts().forEach(mount -> Commands.tryRun("umount", mount));
      kept.namespaces().forEach(name -> Commands.tryRun("ip", "netns", "del", name));
      Demo.deleteFolder(Path.of(kept.folder()));
      Files.delete(FILE);
    } catch (IOException e) {
      throw new StepFailedException("ending the kept demo: " + e.getMessage(), e);
    }
  }

  /**
   * Ends a process if its command line still looks like the demo's, because another process may
   * have the id by now.
   */
  private void end(long pid) {
    Optional<ProcessHandle> process =
        ProcessHandle.of(pid)
            .filter(
                p ->
                    p.info().commandLine().orElse("").contains("tokenbucket")
                        || p.info().commandLine().orElse("").contains(folder)
                        || p.info().commandLine().orElse("").contains("quarkus-run.jar"));
    process.ifPresent(
        p -> {
          p.destroy();
          long end = System.nanoTime() + END.toNanos();
          while (p.isAlive() && System.nanoTime() < end) {
            Daemon.pause(Duration.ofMillis(50));
          }
          p.destroyForcibly();
        });
  }
}

package dev.tokenbucket.agent;

import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.program.Programmer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Removes everything of ours from this host: hooks, programs, maps, pins, files. */
@Command(name = "cleanup", description = "Removes everything of ours from this host.")
final class CleanupCommand implements Callable<Integer> {
  @Mixin private HostOptions host = new HostOptions();

  @Override
  public Integer call() throws IOException {
    new Programmer(new LinuxKernel(), host.bpffs, host.stateDir).removeAll();
    for (StateFiles file : StateFiles.values()) {
      delete(file.in(host.stateDir));
      delete(file.partialIn(host.stateDir));
    }
    return 0;
  }

  private static void delete(Path root) throws IOException {
    if (!Files.exists(root)) {
      return;
    }
    try (Stream<Path> all = Files.walk(root)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }
}

package dev.tokenbucket.agent;

import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.program.Programmer;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Removes everything of ours from this host: hooks, programs, maps, pins, files. */
@Command(name = "cleanup", description = "Removes everything of ours from this host.")
final class CleanupCommand implements Callable<Integer> {
  private static final Logger LOG = LoggerFactory.getLogger(CleanupCommand.class);

  @Mixin private HostOptions host = new HostOptions();

  @Option(
      names = "--wait-for-agent",
      defaultValue = "0",
      paramLabel = "SECONDS",
      description =
          "Waits for so long until no agent runs with this --state-dir, and removes nothing while"
              + " one does (default: ${DEFAULT-VALUE}, doesn't look).")
  private long waitSeconds;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (waitSeconds > 0) {
      awaitNoAgent();
    }
    new Programmer(new LinuxKernel(), host.bpffs, host.stateDir).removeAll();
    for (StateFiles file : StateFiles.values()) {
      delete(file.in(host.stateDir));
      delete(file.partialIn(host.stateDir));
    }
    removeStateDir();
    return 0;
  }

  /** Removes the folder itself, unless it holds files of others or is mounted, as in a pod. */
  private void removeStateDir() throws IOException {
    try {
      Files.deleteIfExists(host.stateDir);
    } catch (FileSystemException e) {
      LOG.debug("{} stays: {}", host.stateDir, e.getMessage());
    }
  }

  private void awaitNoAgent() throws IOException, InterruptedException {
    Path lock = StateFiles.LOCK.in(host.stateDir);
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(waitSeconds);
    while (Files.exists(lock) && isHeld(lock)) {
      if (System.nanoTime() > end) {
        throw new IOException(
            "an agent still runs with --state-dir " + host.stateDir + "; stop it first");
      }
      TimeUnit.MILLISECONDS.sleep(200);
    }
  }

  private static boolean isHeld(Path lock) throws IOException {
    try (FileChannel file = FileChannel.open(lock, StandardOpenOption.WRITE);
        @Nullable FileLock ours = file.tryLock()) {
      return ours == null;
    }
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

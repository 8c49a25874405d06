package dev.tokenbucket.agent.host;

import dev.tokenbucket.agent.host.CommandFailure.Exit;
import dev.tokenbucket.agent.kernel.Kernel;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Held by the one process that may change pins, or files: two agents would exchange each other's
 * programs for ever. Pins and state folder each have a lock, since agents may share the one without
 * the other. The kernel takes a lock back from whoever dies.
 */
public final class AgentLock implements Closeable {
  private final Closeable held;

  private AgentLock(Closeable held) {
    this.held = held;
  }

  /**
   * Locks the folder of pins; nothing where there is none.
   *
   * @throws CommandFailure where another process has the lock
   */
  public static AgentLock ofPins(Kernel kernel, Path bpffs) {
    if (!Files.isDirectory(bpffs)) {
      return new AgentLock(() -> {});
    }
    int lock = kernel.lock(bpffs).orElseThrow(() -> taken("--bpffs " + bpffs));
    return new AgentLock(() -> kernel.close(lock));
  }

  /**
   * Locks the state folder; nothing where there is none.
   *
   * @throws CommandFailure where another process has the lock
   */
  public static AgentLock ofState(Path stateDir) throws IOException {
    if (!Files.isDirectory(stateDir)) {
      return new AgentLock(() -> {});
    }
    FileChannel file =
        FileChannel.open(
            StateFiles.LOCK.in(stateDir), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    if (file.tryLock() == null) {
      file.close();
      throw taken("--state-dir " + stateDir);
    }
    return new AgentLock(file);
  }

  private static CommandFailure taken(String what) {
    return new CommandFailure(
        Exit.AGENT_RUNS,
        "another agent runs with " + what + "; stop it first, or name another folder");
  }

  @Override
  public void close() throws IOException {
    held.close();
  }
}

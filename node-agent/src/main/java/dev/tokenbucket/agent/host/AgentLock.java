// SPDX-License-Identifier: Apache-2.0
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
 * The lock of the one process that may change pins or state files: two agents would replace each
 * other's programs forever. Pins and state folder each have a lock, since two agents may share only
 * one of them. The kernel releases the lock of a process that dies.
 */
public final class AgentLock implements Closeable {
  private final Closeable held;

  private AgentLock(Closeable held) {
    this.held = held;
  }

  /**
   * Locks the folder of pins; does nothing if there is no such folder.
   *
   * @throws CommandFailure if another process holds the lock
   */
  public static AgentLock ofPins(Kernel kernel, Path bpffs) {
    if (!Files.isDirectory(bpffs)) {
      return new AgentLock(() -> {});
    }
    int lock = kernel.lock(bpffs).orElseThrow(() -> taken("--bpffs " + bpffs));
    return new AgentLock(() -> kernel.close(lock));
  }

  /**
   * Locks the state folder; does nothing if there is no such folder.
   *
   * @throws CommandFailure if another process holds the lock
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
        "another agent runs with " + what + "; stop that agent first, or name another folder");
  }

  @Override
  public void close() throws IOException {
    held.close();
  }
}

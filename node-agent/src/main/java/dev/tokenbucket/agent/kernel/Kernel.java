package dev.tokenbucket.agent.kernel;

import java.nio.file.Path;
import java.util.Optional;

/**
 * All that the agent asks of the kernel; the one door to native calls. All methods throw {@link
 * KernelException}.
 */
public interface Kernel extends KernelMaps, KernelPrograms, KernelHooks, KernelDevices {
  /** Mounts a BPF file system that its owner alone may look into; needs CAP_SYS_ADMIN. */
  void mountBpf(Path folder);

  /** Waits until every program that runs now has ended. */
  void awaitGracePeriod();

  /**
   * Locks a folder against every other process that does, in whatever container, until the
   * descriptor is closed or this process ends.
   *
   * @return the descriptor; empty where another process holds the lock
   */
  Optional<Integer> lock(Path folder);

  /** Whether a task may preempt another that runs one of our programs: PREEMPT_RT. */
  boolean isRealTime();
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Everything that the agent asks of the kernel, and the only door to native calls. All methods
 * throw {@link KernelException}.
 */
public interface Kernel extends KernelMaps, KernelPrograms, KernelHooks, KernelDevices {
  /** Mounts a BPF file system that only its owner may look into. Needs CAP_SYS_ADMIN. */
  void mountBpf(Path folder);

  /** Waits until every BPF program that runs now has ended. */
  void awaitGracePeriod();

  /**
   * Takes a folder's lock, which excludes all processes that take the same lock, in any container.
   * The lock lasts until the descriptor is closed or this process ends.
   *
   * @return the descriptor; empty if another process holds the lock
   */
  Optional<Integer> lock(Path folder);

  /**
   * Whether the kernel is PREEMPT_RT, so that a task may preempt another one inside the agent's
   * programs.
   */
  boolean isRealTime();
}

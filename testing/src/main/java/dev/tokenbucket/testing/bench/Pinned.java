// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import dev.tokenbucket.testing.StepFailedException;
import dev.tokenbucket.testing.kernel.ProgramRuns;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Work in its own thread, pinned to one CPU. The caller's thread remains free to move. */
final class Pinned<T> {
  private final FutureTask<T> task;

  private Pinned(FutureTask<T> task) {
    this.task = task;
  }

  static <T> Pinned<T> start(ProgramRuns runs, int cpu, Callable<T> work) {
    FutureTask<T> task =
        new FutureTask<>(
            () -> {
              runs.pin(cpu);
              return work.call();
            });
    Thread thread = new Thread(task, "cpu-" + cpu);
    thread.setDaemon(true);
    thread.start();
    return new Pinned<>(task);
  }

  /** Waits for the result. */
  T result() {
    try {
      return task.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StepFailedException("interrupted", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new StepFailedException("running on one CPU: " + e.getCause(), e);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs a task repeatedly, on its own daemon thread, until closed. */
public final class Periodic implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Periodic.class);

  private final String name;
  private final ScheduledExecutorService executor;

  /**
   * @param name the name of the thread and of the task
   */
  public Periodic(String name) {
    this.name = name;
    this.executor =
        Executors.newSingleThreadScheduledExecutor(
            work -> {
              Thread thread = new Thread(work, name);
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * Starts the task.
   *
   * @param first the delay before the first run
   * @param pause the time from the end of one run to the beginning of the next; to the millisecond
   */
  public void start(Runnable task, Duration first, Duration pause) {
    var unused =
        executor.scheduleWithFixedDelay(
            () -> attempt(task), first.toMillis(), pause.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void attempt(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException e) {
      // Rethrowing would end all further runs.
      LOG.warn("{} failed; trying again at the next interval", name, e);
    }
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }
}

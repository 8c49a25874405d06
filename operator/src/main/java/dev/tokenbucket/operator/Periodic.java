package dev.tokenbucket.operator;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Does something again and again, on a daemon thread of its own, until it is closed. */
public final class Periodic implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Periodic.class);

  private final String name;
  private final ScheduledExecutorService executor;

  /**
   * @param name of the thread, and of what is done
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
   * Begins.
   *
   * @param first how long from now to the first time
   * @param pause from the end of one time to the beginning of the next; to the millisecond
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
      // Thrown on, it would be the last time.
      LOG.warn("{}: failed, tried again at the next time", name, e);
    }
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }
}

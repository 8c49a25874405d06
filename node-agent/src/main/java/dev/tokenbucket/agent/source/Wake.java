package dev.tokenbucket.agent.source;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Ends a loop's wait; however often it is signalled meanwhile, one wait ends. */
public final class Wake {
  private final Semaphore signals = new Semaphore(0);

  public void signal() {
    signals.release();
  }

  /** Returns at the next signal, at once where one came since the last return, or after a time. */
  public void await(Duration most) throws InterruptedException {
    if (signals.tryAcquire(most.toNanos(), TimeUnit.NANOSECONDS)) {
      signals.drainPermits();
    }
  }
}

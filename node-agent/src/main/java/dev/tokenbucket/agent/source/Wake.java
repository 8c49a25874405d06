// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Ends a loop's wait. Any number of signals before a wait ends only that one wait. */
public final class Wake {
  private final Semaphore signals = new Semaphore(0);

  public void signal() {
    signals.release();
  }

  /**
   * Returns at the next signal, at once if a signal came since the last return, or after the
   * timeout.
   */
  public void await(Duration most) throws InterruptedException {
    if (signals.tryAcquire(most.toNanos(), TimeUnit.NANOSECONDS)) {
      signals.drainPermits();
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Lets a command finish in order after SIGINT or SIGTERM: the process lives until this is closed,
 * for some seconds at most.
 */
final class Interrupt implements AutoCloseable {
  private static final int MOST_SECONDS = 5;

  private final CountDownLatch finished = new CountDownLatch(1);
  private final Thread hook = new Thread(this::interrupt, "interrupt");
  private volatile boolean there;

  Interrupt() {
    Runtime.getRuntime().addShutdownHook(hook);
  }

  boolean isThere() {
    return there;
  }

  private void interrupt() {
    there = true;
    try {
      if (!finished.await(MOST_SECONDS, TimeUnit.SECONDS)) {
        System.err.println("tb: not finished within " + MOST_SECONDS + " s");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    finished.countDown();
    if (!there) {
      removeHook();
    }
  }

  private void removeHook() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM ends at this moment.
    }
  }
}

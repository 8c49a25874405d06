// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.loop;

import dev.tokenbucket.agent.kernel.KernelDevices;
import dev.tokenbucket.agent.log.Reason;
import dev.tokenbucket.agent.source.Wake;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Listens for changes of interfaces and routes, and wakes the program loop. */
public final class NetworkLoop implements AgentThreads.Loop {
  private static final Logger LOG = LoggerFactory.getLogger(NetworkLoop.class);

  /** The longest wait inside the kernel, since no interrupt ends it. */
  private static final Duration LISTEN = Duration.ofSeconds(1);

  private final KernelDevices.NetworkWatch watch;
  private final Wake wake;
  private final AtomicBoolean changed = new AtomicBoolean();

  /**
   * @param wake signalled on each change
   */
  public NetworkLoop(KernelDevices.NetworkWatch watch, Wake wake) {
    this.watch = watch;
    this.wake = wake;
  }

  /** Whether there was a change since the last call. */
  boolean takeChange() {
    return changed.getAndSet(false);
  }

  /** Restores a change that was taken but could not be handled. */
  void putBack() {
    changed.set(true);
  }

  @Override
  public void run() throws InterruptedException {
    while (!Thread.currentThread().isInterrupted()) {
      try {
        if (watch.await(LISTEN)) {
          changed.set(true);
          wake.signal();
        }
      } catch (RuntimeException e) {
        LOG.warn(
            "can't listen for changes of interfaces, so the agent polls until it can: {}",
            Reason.of(e));
        Thread.sleep(LISTEN.toMillis());
      }
    }
  }
}

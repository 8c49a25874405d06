// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An operator that is restarted under the same name whenever it ends, as a kubelet restarts a
 * container.
 */
public final class OperatorPod implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OperatorPod.class);
  private static final Duration RESTART_DELAY = Duration.ofMillis(500);

  private final Cluster cluster;
  private final Path log;
  private final Map<String, String> environment;
  private final Thread kubelet;
  private volatile boolean closed;
  private final AtomicInteger starts = new AtomicInteger();
  private volatile @Nullable Daemon operator;

  /**
   * @param name the pod's name, which is the operator's identity in the lease
   * @param environment additional variables, as in {@link Cluster#startOperator}
   */
  public OperatorPod(Cluster cluster, String name, Path log, Map<String, String> environment) {
    this.cluster = cluster;
    this.log = log;
    this.environment = new HashMap<>(environment);
    this.environment.put("POD_NAME", name);
    kubelet = new Thread(this::run, "kubelet of " + name);
    kubelet.setDaemon(true);
    kubelet.start();
  }

  private void run() {
    while (!closed) {
      try (Daemon started = cluster.startOperator(log, Daemon.Lifetime.WITH_PARENT, environment)) {
        starts.incrementAndGet();
        operator = started;
        while (!closed && started.isAlive()) {
          Daemon.pause(Duration.ofMillis(50));
        }
      } catch (StepFailedException e) {
        // For example, the API server is away. A kubelet would retry as well.
        LOG.info("the operator did not start: {}", e.getMessage());
      }
      operator = null;
      if (!closed) {
        Daemon.pause(RESTART_DELAY);
      }
    }
  }

  /** How often the operator has been started so far. */
  public int starts() {
    return starts.get();
  }

  /** Kills the operator with kill -9 if it runs; it is then restarted. */
  public void kill() {
    Daemon running = operator;
    if (running != null && running.isAlive()) {
      running.kill();
    }
  }

  /** The running process; null between two. */
  public @Nullable Daemon operator() {
    return operator;
  }

  @Override
  public void close() {
    closed = true;
    try {
      kubelet.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.loop;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent's loops, each in a thread of its own, so that a waiting loop holds up no other. If one
 * loop ends, the agent ends: otherwise it would look alive while it does only part of its work.
 */
public final class AgentThreads implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(AgentThreads.class);

  private static final Duration IDLE = Duration.ofSeconds(10);

  private final List<Thread> threads = new ArrayList<>();
  private final CountDownLatch ended = new CountDownLatch(1);

  /** A loop, which returns only when it is interrupted. */
  @FunctionalInterface
  interface Loop {
    void run() throws InterruptedException;
  }

  /**
   * An executor whose threads end after they have been idle for a while.
   *
   * @param most the most threads; a host with fewer CPUs has one thread per CPU
   */
  public static Executor pool(String name, int most) {
    int threads = Math.min(most, Runtime.getRuntime().availableProcessors());
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            threads,
            threads,
            IDLE.toSeconds(),
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, name);
              thread.setDaemon(true);
              return thread;
            });
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  public void start(String name, Loop loop) {
    Thread thread = new Thread(() -> runAndTell(name, loop), name);
    thread.setDaemon(true);
    threads.add(thread);
    thread.start();
  }

  private void runAndTell(String name, Loop loop) {
    try {
      loop.run();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) {
      LOG.error("the loop {} failed, so the agent ends: {}", name, e.toString(), e);
    } finally {
      ended.countDown();
    }
  }

  /** Returns once a loop has ended. */
  public void await() throws InterruptedException {
    ended.await();
  }

  @Override
  public void close() {
    threads.forEach(Thread::interrupt);
  }
}

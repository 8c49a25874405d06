// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.kernel.CpuAffinity;
import dev.tokenbucket.agent.kernel.Runner;
import dev.tokenbucket.agent.program.WorstWindow.Passed;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Threads, each kept on a CPU of its own, that run the classifier as fast as they can, and a log.
 */
final class Hammer {

  private final VirtualHook hook;
  private final byte[] frame;
  private final long tokens;

  /**
   * What happened.
   *
   * @param passed of all threads, in no order
   * @param firstRefused exit of the first packet that was refused
   * @param lastRefused entry of the last one
   */
  record Log(List<Passed> passed, long runs, long firstRefused, long lastRefused) {
    /** Tokens of packets that were judged between the first refused packet and the last. */
    long passedUnderDemand() {
      return passed.stream()
          .filter(packet -> packet.exit() >= firstRefused && packet.entry() <= lastRefused)
          .mapToLong(Passed::tokens)
          .sum();
    }
  }

  /**
   * @param tokens of the frame, in units of the axis
   */
  Hammer(VirtualHook hook, byte[] frame, long tokens) {
    this.hook = hook;
    this.frame = frame;
    this.tokens = tokens;
  }

  /** Runs for so long, on the first CPUs; meanwhile the calling thread does something else. */
  Log run(int cpus, long nanos, Runnable meanwhile) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(cpus);
    try {
      CyclicBarrier together = new CyclicBarrier(cpus);
      List<Future<Log>> logs = new ArrayList<>();
      for (int i = 0; i < cpus; i++) {
        int cpu = i;
        Callable<Log> work = () -> hammer(cpu, together, nanos);
        logs.add(threads.submit(work));
      }
      meanwhile.run();
      List<Log> all = new ArrayList<>();
      for (Future<Log> log : logs) {
        all.add(log.get());
      }
      return merged(all);
    } finally {
      threads.shutdown();
    }
  }

  private static Log merged(List<Log> logs) {
    List<Passed> passed = new ArrayList<>();
    logs.forEach(log -> passed.addAll(log.passed()));
    return new Log(
        passed,
        logs.stream().mapToLong(Log::runs).sum(),
        logs.stream().mapToLong(Log::firstRefused).min().orElseThrow(),
        logs.stream().mapToLong(Log::lastRefused).max().orElseThrow());
  }

  private Log hammer(int cpu, CyclicBarrier together, long nanos) throws Exception {
    CpuAffinity.pin(cpu);
    Runner packets = hook.runner();
    packets.load(frame, frame.length);
    List<Passed> passed = new ArrayList<>();
    long runs = 0;
    long firstRefused = Long.MAX_VALUE;
    long lastRefused = Long.MIN_VALUE;
    together.await();
    long end = System.nanoTime() + nanos;
    long entry = System.nanoTime();
    while (entry < end) {
      boolean refused = packets.run(0) == Runner.DROPPED;
      long exit = System.nanoTime();
      if (refused) {
        firstRefused = Math.min(firstRefused, exit);
        lastRefused = entry;
      } else {
        passed.add(new Passed(entry, exit, tokens));
      }
      runs++;
      entry = System.nanoTime();
    }
    return new Log(passed, runs, firstRefused, lastRefused);
  }
}

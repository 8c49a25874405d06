// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.loop;

import dev.tokenbucket.agent.log.Reason;
import dev.tokenbucket.agent.loop.HealthEndpoint.LoopName;
import dev.tokenbucket.agent.program.Programmer;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Removes idle buckets periodically. A bucket that stays for longer harms no limit. */
public final class SweepLoop implements AgentThreads.Loop {
  private static final Logger LOG = LoggerFactory.getLogger(SweepLoop.class);
  private static final Duration BETWEEN = Duration.ofSeconds(2);

  private final Programmer programmer;
  private final HealthEndpoint health;
  private String lastError = "";

  public SweepLoop(Programmer programmer, HealthEndpoint health) {
    this.programmer = programmer;
    this.health = health;
  }

  @Override
  public void run() throws InterruptedException {
    while (true) {
      try {
        programmer.sweep();
        lastError = "";
      } catch (RuntimeException e) {
        String error = Reason.of(e);
        if (!error.equals(lastError)) {
          LOG.warn("could not sweep idle buckets; trying again: {}", error);
        }
        lastError = error;
      }
      health.passed(LoopName.SWEEPING);
      Thread.sleep(BETWEEN.toMillis());
    }
  }
}

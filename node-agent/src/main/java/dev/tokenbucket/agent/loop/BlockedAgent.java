// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.loop;

import dev.tokenbucket.agent.log.Reason;
import dev.tokenbucket.agent.loop.HealthEndpoint.LoopName;
import dev.tokenbucket.agent.source.Applied;
import dev.tokenbucket.agent.source.DesiredState;
import dev.tokenbucket.agent.source.DesiredStateSource;
import dev.tokenbucket.agent.source.Repairs;
import dev.tokenbucket.agent.source.SourceOpening;
import dev.tokenbucket.agent.source.Wake;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An agent that must not touch the kernel it sees. As long as it runs, it reports the obstacle for
 * every policy, and does nothing else. Only a new pod helps.
 */
public final class BlockedAgent {
  private static final Logger LOG = LoggerFactory.getLogger(BlockedAgent.class);
  private static final Duration PASS = Duration.ofSeconds(2);

  private final String obstacle;
  private final List<String> findings;
  private final HealthEndpoint health;
  private final Repairs none;

  /**
   * @param findings the preflight's findings, which are reported as well
   */
  public BlockedAgent(String obstacle, List<String> findings, HealthEndpoint health) {
    this.obstacle = obstacle;
    this.findings = new ArrayList<>(findings);
    this.findings.add(obstacle);
    this.health = health;
    this.none = Repairs.since(Instant.now());
  }

  /** Returns only by an exception. */
  public void run(SourceOpening opening) throws IOException, InterruptedException {
    LOG.error("preflight: {}", obstacle);
    health.notReady(obstacle);
    Wake wake = new Wake();
    try (DesiredStateSource desired = opening.open(findings, wake)) {
      while (true) {
        report(desired);
        Stream.of(LoopName.values()).forEach(health::passed);
        wake.await(PASS);
      }
    }
  }

  private void report(DesiredStateSource desired) throws IOException {
    try {
      DesiredState wanted = desired.current().orElse(null);
      if (wanted != null) {
        Map<String, String> failures = new LinkedHashMap<>();
        wanted.policies().forEach(policy -> failures.put(policy.uid(), obstacle));
        desired.report(new Applied(wanted, failures, List.of(), none), List.of(), Map.of());
      }
    } catch (RuntimeException e) {
      LOG.error("not reported: {}", Reason.of(e));
    }
  }
}

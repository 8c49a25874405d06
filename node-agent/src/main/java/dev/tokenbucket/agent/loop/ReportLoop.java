// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.loop;

import dev.tokenbucket.agent.host.StateFiles;
import dev.tokenbucket.agent.log.Reason;
import dev.tokenbucket.agent.loop.HealthEndpoint.LoopName;
import dev.tokenbucket.agent.program.Programmer;
import dev.tokenbucket.agent.source.Applied;
import dev.tokenbucket.agent.source.DesiredStateSource;
import dev.tokenbucket.agent.source.Wake;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports what the kernel runs: at once after a set was applied, periodically in any case, and
 * again after a failure. The state is read at the moment of the report, so no report is outdated
 * when sent.
 */
public final class ReportLoop implements AgentThreads.Loop {
  private static final Logger LOG = LoggerFactory.getLogger(ReportLoop.class);

  /**
   * The interval between reports if nothing has changed. A renewed report restores what others have
   * overwritten.
   */
  private static final Duration RENEWAL = Duration.ofSeconds(25);

  /** The shortest interval between reports, for times when hundreds of interfaces appear. */
  private static final Duration LEAST = Duration.ofMillis(500);

  /** Milliseconds until the next try, by the number of failures in a row. */
  private static final IntervalFunction BACKOFF =
      IntervalFunction.ofExponentialRandomBackoff(
          Duration.ofSeconds(1), 2.0, 0.5, Duration.ofSeconds(30));

  private final Programmer programmer;
  private final DesiredStateSource source;
  private final Path stateDir;
  private final HealthEndpoint health;
  private final Wake wake = new Wake();
  private final AtomicReference<@Nullable Applied> latest = new AtomicReference<>();
  private String lastError = "";

  /**
   * @param programmer says what runs
   * @param source receives the reports
   * @param stateDir keeps the warnings for {@code tb status}
   */
  public ReportLoop(
      Programmer programmer, DesiredStateSource source, Path stateDir, HealthEndpoint health) {
    this.programmer = programmer;
    this.source = source;
    this.stateDir = stateDir;
    this.health = health;
  }

  /** Sets what is reported from now on. */
  void submit(Applied applied) {
    latest.set(applied);
    wake.signal();
  }

  @Override
  public void run() throws InterruptedException {
    int failures = 0;
    while (true) {
      Applied applied = latest.get();
      failures = applied == null || reported(applied) ? 0 : failures + 1;
      health.passed(LoopName.REPORTING);
      Thread.sleep(LEAST.toMillis());
      wake.await(failures == 0 ? RENEWAL : Duration.ofMillis(BACKOFF.apply(failures)));
    }
  }

  /** Whether the report was delivered. */
  private boolean reported(Applied applied) {
    try {
      boolean reported =
          source.report(applied, programmer.running(), warnings(applied.state().policies()));
      lastError = "";
      return reported;
    } catch (IOException | RuntimeException e) {
      String error = Reason.of(e);
      if (!error.equals(lastError)) {
        LOG.warn("could not report what the kernel runs; trying again: {}", error);
      }
      lastError = error;
      return false;
    }
  }

  /**
   * The warnings, which are also kept for {@code tb status}. If they cannot be determined, the
   * report is sent without them.
   */
  private Map<String, List<String>> warnings(List<NodePolicy> policies) throws IOException {
    Map<String, List<String>> warnings = new LinkedHashMap<>();
    try {
      warnings.putAll(programmer.warnings());
    } catch (RuntimeException e) {
      LOG.warn("skipped the check for overlaps and stacked interfaces: {}", Reason.of(e));
    }
    List<String> lines = new ArrayList<>();
    for (NodePolicy policy : policies) {
      warnings
          .getOrDefault(policy.uid(), List.of())
          .forEach(each -> lines.add(policy.name() + ": " + each));
    }
    if (!StateFiles.WARNINGS.lines(stateDir).equals(lines)) {
      StateFiles.WARNINGS
          .write(stateDir, String.join("\n", lines))
          .ifPresent(problem -> LOG.warn("{}", problem));
      lines.forEach(each -> LOG.warn("{}", each));
    }
    return warnings;
  }
}

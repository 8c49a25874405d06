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
 * Tells what the kernel runs: at once when a set was applied, from time to time whatever happens,
 * and again after a failure. What is told is read when it is told, so nothing old is sent late.
 */
public final class ReportLoop implements AgentThreads.Loop {
  private static final Logger LOG = LoggerFactory.getLogger(ReportLoop.class);

  /** Between reports where nothing has changed: what somebody has overwritten is put right. */
  private static final Duration RENEWAL = Duration.ofSeconds(25);

  /** Between reports while interfaces come by the hundred. */
  private static final Duration LEAST = Duration.ofMillis(500);

  /** By the number of failures in a row, milliseconds until the next try. */
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
   * @param source is told
   * @param stateDir keeps the warnings for {@code tb status}
   */
  public ReportLoop(
      Programmer programmer, DesiredStateSource source, Path stateDir, HealthEndpoint health) {
    this.programmer = programmer;
    this.source = source;
    this.stateDir = stateDir;
    this.health = health;
  }

  /** Tells of this from now on. */
  void tell(Applied applied) {
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

  /** Whether the report has got through. */
  private boolean reported(Applied applied) {
    try {
      boolean reported =
          source.report(applied, programmer.running(), warnings(applied.state().policies()));
      lastError = "";
      return reported;
    } catch (IOException | RuntimeException e) {
      String error = Reason.of(e);
      if (!error.equals(lastError)) {
        LOG.warn("what runs could not be told, it is tried again: {}", error);
      }
      lastError = error;
      return false;
    }
  }

  /** Also kept for {@code tb status}; that they can't be had stops nothing. */
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

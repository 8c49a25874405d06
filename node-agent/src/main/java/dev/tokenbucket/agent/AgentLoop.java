package dev.tokenbucket.agent;

import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.program.Programmer;
import dev.tokenbucket.agent.program.RunningHook;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the kernel to the desired state, again and again: at once when that changes, at the next
 * look when interfaces, routes or hooks have changed or something failed, and from time to time
 * whatever happens, since others may change the kernel, too.
 */
final class AgentLoop {
  private static final Logger LOG = LoggerFactory.getLogger(AgentLoop.class);

  /** Between looks at what may have changed. */
  private static final Duration LOOK = Duration.ofSeconds(2);

  /** Between read-backs of all that runs, maps included, where nothing has changed. */
  private static final Duration READ_BACK = Duration.ofSeconds(25);

  private final Programmer programmer;
  private final Path stateDir;
  private final Exemptions exemptions;
  private final HealthEndpoint health;
  private final AgentMetrics metrics;
  private final Kernel.NetworkWatch network;

  private Optional<DesiredState> applied = Optional.empty();
  private Outcome outcome = new Outcome(List.of(), Map.of(), Map.of());
  private boolean failed;
  private long appliedAt;
  private long lookedAt = System.nanoTime();
  private String lastError = "";

  /** What came of a set: what runs, and by uid what failed and what to warn of. */
  private record Outcome(
      List<RunningHook> running,
      Map<String, String> failures,
      Map<String, List<String>> warnings) {}

  AgentLoop(
      Programmer programmer,
      Path stateDir,
      Exemptions exemptions,
      HealthEndpoint health,
      AgentMetrics metrics,
      Kernel.NetworkWatch network) {
    this.programmer = programmer;
    this.stateDir = stateDir;
    this.exemptions = exemptions;
    this.health = health;
    this.metrics = metrics;
    this.network = network;
  }

  /** Until the thread is interrupted. */
  void run(DesiredStateSource desired) throws InterruptedException {
    while (true) {
      try {
        Optional<DesiredState> wanted = desired.current();
        if (wanted.isPresent()) {
          pass(desired, wanted.get());
        }
        if (wanted.isPresent() || desired.looked()) {
          health.ready();
        }
      } catch (IOException | RuntimeException e) {
        failed = true;
        lastError = logChanged(String.valueOf(e.getMessage()), lastError);
        Thread.sleep(LOOK.toMillis() / 2);
      }
      health.passed();
      desired.awaitChange(LOOK);
    }
  }

  private void pass(DesiredStateSource desired, DesiredState wanted) throws IOException {
    long now = System.nanoTime();
    boolean changed = !applied.equals(Optional.of(wanted));
    boolean look = now - lookedAt >= LOOK.toNanos();
    if (!changed && !look) {
      return;
    }
    lookedAt = now;
    // Asked at each look: what it tells is of the time since the last.
    boolean networkChanged = network.changed();
    boolean disturbed = networkChanged || programmer.isDisturbed();
    boolean due = now - appliedAt >= READ_BACK.toNanos();
    if (changed || disturbed || failed || (due && !programmer.isUnaltered())) {
      appliedAt = now;
      boolean mayRepair = !changed && !networkChanged && !failed;
      Map<String, String> failures = apply(wanted, exemptions.of(wanted));
      boolean repaired = mayRepair && failures.isEmpty() && programmer.changedSomething();
      if (repaired) {
        LOG.warn("the kernel did not run what it was left with; it was put right");
      }
      metrics.applied(wanted.policies(), failures.size(), repaired);
      outcome = new Outcome(programmer.running(), failures, warnings(wanted));
      report(desired, wanted);
      applied = Optional.of(wanted);
      failed = !failures.isEmpty();
      lastError = logChanged(failures.toString(), lastError);
    } else if (due) {
      appliedAt = now;
      report(desired, wanted);
    }
    sweep();
  }

  /** Again and again, for a report may not get through. */
  private void report(DesiredStateSource desired, DesiredState wanted) throws IOException {
    desired.report(
        wanted, outcome.running(), outcome.failures(), outcome.warnings(), exemptions.lines());
  }

  /** Also kept for {@code tb status}; that they can't be had stops nothing. */
  private Map<String, List<String>> warnings(DesiredState wanted) throws IOException {
    Map<String, List<String>> warnings = new LinkedHashMap<>();
    try {
      warnings.putAll(programmer.warnings());
    } catch (RuntimeException e) {
      LOG.warn("overlaps and stacked interfaces are not looked for: {}", e.getMessage());
    }
    List<String> lines = new ArrayList<>();
    for (NodePolicy policy : wanted.policies()) {
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

  /** Apart from programming: that idle buckets stay harms no limit. */
  private void sweep() {
    try {
      programmer.sweep();
    } catch (RuntimeException e) {
      LOG.warn("idle buckets stay until the next try: {}", e.getMessage());
    }
  }

  /** What stops the whole set is told of each policy in it. */
  private Map<String, String> apply(DesiredState wanted, FailsafeSettings failsafes) {
    try {
      return programmer.apply(wanted.policies(), failsafes);
    } catch (RuntimeException e) {
      Map<String, String> failures = new LinkedHashMap<>();
      String message = String.valueOf(e.getMessage());
      wanted.policies().forEach(policy -> failures.put(policy.uid(), message));
      return failures;
    }
  }

  /** The same failure is tried again for ever, and logged once. */
  private static String logChanged(String error, String last) {
    if (!error.equals(last) && !error.equals("{}")) {
      LOG.error("not programmed, the last good state stays in force: {}", error);
    }
    return error;
  }
}

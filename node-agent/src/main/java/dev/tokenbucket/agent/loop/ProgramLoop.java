// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.loop;

import dev.tokenbucket.agent.host.PinGround;
import dev.tokenbucket.agent.log.Reason;
import dev.tokenbucket.agent.loop.HealthEndpoint.LoopName;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.program.Programmer;
import dev.tokenbucket.agent.source.Applied;
import dev.tokenbucket.agent.source.DesiredState;
import dev.tokenbucket.agent.source.DesiredStateSource;
import dev.tokenbucket.agent.source.Repairs;
import dev.tokenbucket.agent.source.Wake;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the kernel to the desired state, again and again. The loop acts at once if the desired
 * state, interfaces or default routes change; at the next look if hooks have changed or something
 * failed; and periodically in any case, since other software may change the kernel, too.
 */
public final class ProgramLoop implements AgentThreads.Loop {
  private static final Logger LOG = LoggerFactory.getLogger(ProgramLoop.class);

  /** The interval between looks at what may have changed. */
  private static final Duration LOOK = Duration.ofSeconds(2);

  /** The interval between complete read-backs, maps included, if nothing has changed. */
  private static final Duration READ_BACK = Duration.ofSeconds(25);

  /**
   * After a look at changes that did not concern this agent, the loop rests this many times as
   * long.
   */
  private static final int REST = 4;

  private final Programmer programmer;
  private final DesiredStateSource source;
  private final PinGround ground;
  private final Exemptions exemptions;
  private final HealthEndpoint health;
  private final AgentMetrics metrics;
  private final NetworkLoop network;
  private final ReportLoop reports;
  private final AskedLogLevel logLevel;
  private final Wake wake;

  private Repairs repairs = Repairs.since(Instant.now());
  private Optional<DesiredState> applied = Optional.empty();
  private boolean failedWhole;
  private long appliedAt;
  private long lookedAt = System.nanoTime();
  private String lastError = "";

  /**
   * @param wake ends a wait when the desired state or the network has changed
   */
  public ProgramLoop(
      Programmer programmer,
      DesiredStateSource source,
      PinGround ground,
      Exemptions exemptions,
      HealthEndpoint health,
      AgentMetrics metrics,
      NetworkLoop network,
      ReportLoop reports,
      AskedLogLevel logLevel,
      Wake wake) {
    this.programmer = programmer;
    this.source = source;
    this.ground = ground;
    this.exemptions = exemptions;
    this.health = health;
    this.metrics = metrics;
    this.network = network;
    this.reports = reports;
    this.logLevel = logLevel;
    this.wake = wake;
  }

  @Override
  public void run() throws InterruptedException {
    while (true) {
      try {
        Optional<DesiredState> wanted = source.current();
        if (wanted.isPresent()) {
          pass(wanted.get());
        }
        if (wanted.isPresent() || source.looked()) {
          health.ready();
        }
      } catch (IOException | RuntimeException e) {
        lastError = logChanged(Reason.of(e), lastError);
        Thread.sleep(LOOK.toMillis() / 2);
      }
      health.passed(LoopName.PROGRAMMING);
      wake.await(source.poll());
    }
  }

  private void pass(DesiredState wanted) throws IOException, InterruptedException {
    long now = System.nanoTime();
    boolean changed = !applied.equals(Optional.of(wanted));
    boolean networkChanged = network.takeChange();
    boolean look = now - lookedAt >= LOOK.toNanos();
    if (look) {
      lookedAt = now;
      logLevel.follow();
    }
    boolean due = now - appliedAt >= READ_BACK.toNanos();
    if (changed || (look && (failedWhole || programmer.isIncomplete()))) {
      apply(wanted, false);
    } else if ((look && programmer.isDisturbed()) || (due && readBackDiffers())) {
      apply(wanted, !networkChanged);
    } else if (networkChanged || (look && programmer.holdEnds())) {
      follow(wanted);
    } else if (due) {
      appliedAt = now;
      followLinkSpeeds(wanted);
    }
  }

  /** Reads back everything, maps included. */
  private boolean readBackDiffers() {
    if (!programmer.isUnaltered()) {
      return true;
    }
    metrics.readBack(Instant.now());
    return false;
  }

  /**
   * Checks and corrects everything.
   *
   * @param unasked whether nothing has changed that would be a reason to change the kernel
   */
  private void apply(DesiredState wanted, boolean unasked) {
    appliedAt = System.nanoTime();
    Map<String, String> failures = apply(wanted, exemptions.of(wanted));
    boolean repaired = unasked && failures.isEmpty() && programmer.changedSomething();
    if (repaired) {
      repairs = repairs.and(Instant.now());
      LOG.atWarn()
          .addKeyValue("repairs", repairs.count())
          .log(
              "other software changed this agent's kernel objects; the agent repaired them as the"
                  + " lines above say. Look for other software that manages BPF on this host");
    }
    ended(wanted, failures, repaired);
  }

  /** Checks and corrects only what a change of the network can affect. */
  private void follow(DesiredState wanted) throws InterruptedException {
    long start = System.nanoTime();
    Optional<Map<String, String>> failures;
    try {
      failures = programmer.follow(wanted.policies(), exemptions.of(wanted));
    } catch (RuntimeException e) {
      network.putBack();
      throw e;
    }
    failures.ifPresent(each -> ended(wanted, each, false));
    if (failures.isEmpty()) {
      // On some hosts, interfaces of other software come and go all the time.
      Thread.sleep(Duration.ofNanos(REST * (System.nanoTime() - start)).toMillis());
    }
  }

  /** Some drivers change the speed of a link without a message that the interface changed. */
  private void followLinkSpeeds(DesiredState wanted) throws InterruptedException {
    if (wanted.policies().stream().anyMatch(NodePolicy::needsLinkSpeed)) {
      follow(wanted);
    }
  }

  private void ended(DesiredState wanted, Map<String, String> failures, boolean repaired) {
    metrics.applied(wanted.policies(), failures.size(), repaired);
    applied = Optional.of(wanted);
    lastError = logChanged(failures.toString(), lastError);
    reports.submit(new Applied(wanted, failures, exemptions.lines(), repairs));
  }

  /** Applies the set. A failure of the whole set is recorded for each of its policies. */
  private Map<String, String> apply(DesiredState wanted, FailsafeSettings failsafes) {
    try {
      failedWhole = true;
      exemptions.keep(wanted.policies());
      ground.ensure();
      Map<String, String> failures = programmer.apply(wanted.policies(), failsafes);
      failedWhole = false;
      metrics.readBack(Instant.now());
      if (!programmer.isIncomplete()) {
        ground.settled();
      }
      return failures;
    } catch (IOException | RuntimeException e) {
      LOG.debug("applying", e);
      Map<String, String> failures = new LinkedHashMap<>();
      String message = Reason.of(e);
      wanted.policies().forEach(policy -> failures.put(policy.uid(), message));
      return failures;
    }
  }

  /** A failing step is retried forever, but its error is logged only once. */
  private static String logChanged(String error, String last) {
    if (!error.equals(last) && !error.equals("{}")) {
      LOG.error("not programmed, so the last good state stays in force: {}", error);
    }
    return error;
  }
}

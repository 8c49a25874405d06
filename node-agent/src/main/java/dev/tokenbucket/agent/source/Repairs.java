// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import dev.tokenbucket.api.Texts;
import dev.tokenbucket.api.v1alpha1.Reasons;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * How often the agent had to correct a kernel that did not run what the agent had left. Pure.
 *
 * @param count repairs since the agent's start
 * @param first when the present series of repairs began, in which no two repairs are further apart
 *     than {@link #SHOWN}; the agent's start if there was no repair
 * @param last the last repair, or the agent's start
 */
public record Repairs(long count, Instant first, Instant last) {
  /** For how long the condition stays True after a repair. */
  static final Duration SHOWN = Duration.ofMinutes(10);

  /** No repair since the agent's start. */
  public static Repairs since(Instant start) {
    return new Repairs(0, start, start);
  }

  /** These repairs and one more. */
  public Repairs and(Instant now) {
    return new Repairs(count + 1, isShown(now) ? first : now, now);
  }

  private boolean isShown(Instant now) {
    return count > 0 && now.isBefore(last.plus(SHOWN));
  }

  /**
   * The condition {@code Repaired} of a node state.
   *
   * @param now the time that the last repair's age is measured at
   */
  public Condition condition(Instant now) {
    boolean shown = isShown(now);
    Instant transition = shown || count == 0 ? first : last.plus(SHOWN);
    return new ConditionBuilder()
        .withType(Reasons.REPAIRED)
        .withStatus(shown ? "True" : "False")
        .withReason(shown ? Reasons.REPAIRED : Reasons.UNDISTURBED)
        .withMessage(
            shown
                ? ("other software changed BPF programs, maps or pins of the agent; the agent has"
                        + " repaired them %s since its start, last at %s. The agent's log names"
                        + " them; look for other software that manages BPF on this node")
                    .formatted(Texts.count(count, "time"), seconds(last))
                : "the kernel runs what the agent programmed")
        .withLastTransitionTime(seconds(transition))
        .build();
  }

  private static String seconds(Instant time) {
    return time.truncatedTo(ChronoUnit.SECONDS).toString();
  }
}

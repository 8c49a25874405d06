// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.status;

import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicyStatus;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A change that is worth an Event on a policy.
 *
 * @param warning whether somebody should look at it
 * @param generation the generation of the policy that the Event refers to
 */
public record PolicyEvent(boolean warning, String reason, String message, long generation) {
  private static final Set<String> FAILURES =
      Set.of(Reasons.ROLLOUT_HALTED, Reasons.NODES_FAILED, Reasons.NO_AGENT);
  private static final Set<String> REFUSALS =
      Set.of(
          Reasons.INVALID,
          Reasons.ADDRESS_SET_NOT_FOUND,
          Reasons.NODE_STATE_TOO_LARGE,
          Reasons.NODE_LIMIT_EXCEEDED);

  /** The changes between two statuses: one Event per condition that changed. */
  public static List<PolicyEvent> between(
      @Nullable TokenBucketPolicyStatus before, TokenBucketPolicyStatus now) {
    List<PolicyEvent> events = new ArrayList<>();
    turned(before, now, Reasons.ACCEPTED)
        .map(
            c ->
                REFUSALS.contains(c.getReason())
                    ? warning(c.getReason(), c)
                    : normal(Reasons.ACCEPTED, c))
        .ifPresent(events::add);
    turned(before, now, Reasons.DEGRADED)
        .filter(c -> FAILURES.contains(c.getReason()))
        .map(c -> warning(c.getReason(), c))
        .ifPresent(events::add);
    turned(before, now, Reasons.PROGRAMMED)
        .filter(c -> Reasons.ALL_NODES_PROGRAMMED.equals(c.getReason()))
        .map(c -> normal(Reasons.PROGRAMMED, c))
        .ifPresent(events::add);
    turned(before, now, Reasons.PROGRAMMED)
        .filter(c -> Reasons.EXPIRED.equals(c.getReason()))
        .map(c -> normal(Reasons.EXPIRED, c))
        .ifPresent(events::add);
    return List.copyOf(events);
  }

  private static Optional<Condition> turned(
      @Nullable TokenBucketPolicyStatus before, TokenBucketPolicyStatus now, String type) {
    Condition was = Conditions.find(before, type).orElse(null);
    return Conditions.find(now, type)
        .filter(
            condition ->
                was == null
                    || !Objects.equals(was.getReason(), condition.getReason())
                    || !Objects.equals(
                        was.getObservedGeneration(), condition.getObservedGeneration()));
  }

  private static PolicyEvent normal(String reason, Condition condition) {
    return new PolicyEvent(false, reason, condition.getMessage(), generation(condition));
  }

  private static PolicyEvent warning(String reason, Condition condition) {
    return new PolicyEvent(true, reason, condition.getMessage(), generation(condition));
  }

  private static long generation(Condition condition) {
    return Objects.requireNonNullElse(condition.getObservedGeneration(), 0L);
  }
}

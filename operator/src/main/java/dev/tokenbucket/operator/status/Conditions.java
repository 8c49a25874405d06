package dev.tokenbucket.operator.status;

import dev.tokenbucket.api.v1alpha1.TokenBucketPolicyStatus;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Makes conditions whose transition time changes only with their status. */
record Conditions(@Nullable TokenBucketPolicyStatus before, long generation, Instant now) {
  Condition is(String type, boolean holds, String reason, String message) {
    String status = holds ? "True" : "False";
    return new ConditionBuilder()
        .withType(type)
        .withStatus(status)
        .withReason(reason)
        .withMessage(message)
        .withObservedGeneration(generation)
        .withLastTransitionTime(since(type, status))
        .build();
  }

  private String since(String type, String status) {
    return find(before, type)
        .filter(condition -> status.equals(condition.getStatus()))
        .map(Condition::getLastTransitionTime)
        .orElseGet(() -> now.truncatedTo(ChronoUnit.SECONDS).toString());
  }

  static Optional<Condition> find(@Nullable TokenBucketPolicyStatus status, String type) {
    List<Condition> there =
        status == null || status.conditions() == null ? List.of() : status.conditions();
    return there.stream().filter(condition -> type.equals(condition.getType())).findFirst();
  }
}

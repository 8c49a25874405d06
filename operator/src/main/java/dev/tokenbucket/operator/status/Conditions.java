// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.status;

import dev.tokenbucket.api.v1alpha1.TokenBucketPolicyStatus;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Makes conditions whose transition time changes only with their status. */
record Conditions(
    @Nullable TokenBucketPolicyStatus before, List<Condition> there, long generation, Instant now) {
  private static final int MAX_MESSAGE = 8192;
  static final String TRUE = "True";
  static final String FALSE = "False";
  static final String UNKNOWN = "Unknown";

  /** Conditions of a policy. */
  Conditions(@Nullable TokenBucketPolicyStatus before, long generation, Instant now) {
    this(before, of(before), generation, now);
  }

  Condition is(String type, boolean holds, String reason, String message) {
    return is(type, holds ? TRUE : FALSE, reason, message);
  }

  Condition is(String type, String status, String reason, String message) {
    return new ConditionBuilder()
        .withType(type)
        .withStatus(status)
        .withReason(reason)
        .withMessage(shorten(message))
        .withObservedGeneration(generation)
        .withLastTransitionTime(since(type, status))
        .build();
  }

  private String since(String type, String status) {
    return find(there, type)
        .filter(condition -> status.equals(condition.getStatus()))
        .map(Condition::getLastTransitionTime)
        .orElseGet(() -> now.truncatedTo(ChronoUnit.SECONDS).toString());
  }

  private static String shorten(String message) {
    return message.length() <= MAX_MESSAGE ? message : message.substring(0, MAX_MESSAGE - 1) + "…";
  }

  /** Whether the condition was True for this generation. */
  boolean was(String type) {
    return find(there, type)
        .filter(condition -> TRUE.equals(condition.getStatus()))
        .filter(condition -> Objects.equals(generation, condition.getObservedGeneration()))
        .isPresent();
  }

  static Optional<Condition> find(@Nullable TokenBucketPolicyStatus status, String type) {
    return find(of(status), type);
  }

  private static Optional<Condition> find(List<Condition> conditions, String type) {
    return conditions.stream().filter(condition -> type.equals(condition.getType())).findFirst();
  }

  private static List<Condition> of(@Nullable TokenBucketPolicyStatus status) {
    return status == null || status.conditions() == null ? List.of() : status.conditions();
  }
}

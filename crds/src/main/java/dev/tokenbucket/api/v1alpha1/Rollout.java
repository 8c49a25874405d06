// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.IntOrString;
import org.jspecify.annotations.Nullable;

/** How a change of the policy is rolled out from node to node. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Rollout(
    @JsonPropertyDescription(
            "How many nodes may change to the new generation at a time: a number from 1,"
                + " or a percentage of the selected nodes, from 1% to 100%, rounded up. A node"
                + " is done when its kernel runs the new generation. Nodes that are not Ready"
                + " don't count.")
        @ValidationRule(
            value = "string(self).matches('^([1-9][0-9]{0,8}|([1-9][0-9]?|100)%)$')",
            message = "must be a number of nodes from 1, or a percentage from 1% to 100%")
        @Default(DEFAULT_MAX_CONCURRENT)
        @Nullable IntOrString maxConcurrent,
    @JsonPropertyDescription(
            "How many nodes may fail to program a generation before its rollout halts: a"
                + " number from 0, or a percentage of the selected nodes, from 0% to 100%,"
                + " rounded up. A node that becomes unavailable during its change counts as"
                + " failed. If more nodes fail, the remaining nodes keep the generation they"
                + " have, and condition Degraded has the reason RolloutHalted. With the default,"
                + " one broken host among up to 20 nodes does not halt the rollout; a second"
                + " failure does, because it points to the policy.")
        @ValidationRule(
            value = "string(self).matches('^(0|[1-9][0-9]{0,8}|(0|[1-9][0-9]?|100)%)$')",
            message = "must be a number of nodes from 0, or a percentage from 0% to 100%")
        @Default(DEFAULT_MAX_FAILURES)
        @Nullable IntOrString maxFailures,
    @JsonPropertyDescription(
            "How many seconds a node must enforce a generation and be Ready before the"
                + " next node may change. With Kubernetes' defaults, a node that a policy cuts"
                + " off stops being Ready within 50 s, so with 60 such a policy does not get"
                + " beyond its first nodes.")
        @ValidationRule(value = "self >= 0 && self <= 3600", message = "must be from 0 to 3600")
        @Default("0")
        @Nullable Integer minReadySeconds,
    @JsonPropertyDescription(
            "How many seconds a node whose agent answers may take to confirm a generation."
                + " After that the node counts as failed, with reason ProgressDeadlineExceeded.")
        @ValidationRule(value = "self >= 1 && self <= 86400", message = "must be from 1 to 86400")
        @Default("600")
        @Nullable Integer progressDeadlineSeconds,
    @JsonPropertyDescription(
            "true: no further node changes until paused is false again; what nodes enforce"
                + " stays in force.")
        @Default("false")
        @Nullable Boolean paused) {
  /**
   * The default share of the nodes concerned that may change at a time, rounded up: at least one.
   */
  public static final String DEFAULT_MAX_CONCURRENT = "25%";

  /**
   * The default share of the nodes concerned that may fail without halting a rollout, rounded up.
   */
  public static final String DEFAULT_MAX_FAILURES = "5%";

  public static final int DEFAULT_MIN_READY_SECONDS = 0;
  public static final int DEFAULT_PROGRESS_DEADLINE_SECONDS = 600;
}

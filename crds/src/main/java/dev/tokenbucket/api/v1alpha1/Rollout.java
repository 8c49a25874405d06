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
            "How many nodes may be between the old and the new generation at a time: a number from"
                + " 1, or a percentage of the nodes concerned, from 1% to 100%, rounded up. A node is"
                + " done when its kernel runs the new generation. Nodes that are not Ready don't"
                + " count.")
        @ValidationRule(
            value = "string(self).matches('^([1-9][0-9]{0,8}|([1-9][0-9]?|100)%)$')",
            message = "must be a number of nodes from 1, or a percentage from 1% to 100%")
        @Default(DEFAULT_MAX_CONCURRENT)
        @Nullable IntOrString maxConcurrent,
    @JsonPropertyDescription(
            "How many nodes may fail to program a generation before its rollout halts: a number from"
                + " 0, or a percentage of the nodes concerned, from 0% to 100%, rounded up. A node that"
                + " goes away while it is rolled out is one. On more, nodes not reached keep the"
                + " generation they have, and condition Degraded says RolloutHalted. By default one"
                + " broken host of up to 20 does not hold back all others, and a second one points"
                + " to the policy.")
        @ValidationRule(
            value = "string(self).matches('^(0|[1-9][0-9]{0,8}|(0|[1-9][0-9]?|100)%)$')",
            message = "must be a number of nodes from 0, or a percentage from 0% to 100%")
        @Default(DEFAULT_MAX_FAILURES)
        @Nullable IntOrString maxFailures,
    @JsonPropertyDescription(
            "For how many seconds a node must have had a generation in force and been Ready, before"
                + " it makes room for the next. A node that is cut off is not Ready within 50 s, by"
                + " Kubernetes' defaults: with 60 such a policy does not get beyond its first nodes.")
        @ValidationRule(value = "self >= 0 && self <= 3600", message = "must be from 0 to 3600")
        @Default("0")
        @Nullable Integer minReadySeconds,
    @JsonPropertyDescription(
            "For how many seconds a node whose agent answers may take to confirm a generation. After"
                + " that it counts as failed, with reason ProgressDeadlineExceeded.")
        @ValidationRule(value = "self >= 1 && self <= 86400", message = "must be from 1 to 86400")
        @Default("600")
        @Nullable Integer progressDeadlineSeconds,
    @JsonPropertyDescription(
            "true: no further node is changed until it is false again; what nodes enforce stays in"
                + " force.")
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

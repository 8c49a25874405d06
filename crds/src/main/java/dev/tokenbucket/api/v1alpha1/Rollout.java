package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.IntOrString;
import org.jspecify.annotations.Nullable;

/** How a change of the policy goes from node to node. */
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
            "How many nodes may fail to program a generation before its rollout halts. On more,"
                + " nodes not reached keep the generation they have, and condition Degraded says"
                + " RolloutHalted. Default 1: one broken host does not hold back all others, a"
                + " second one points to the policy.")
        @ValidationRule(value = "self >= 0", message = "must be 0 or more")
        @Default("1")
        @Nullable Integer maxFailures,
    @JsonPropertyDescription(
            "true: no further node is changed until it is false again; what nodes enforce stays in"
                + " force.")
        @Default("false")
        @Nullable Boolean pause) {
  /** Of the nodes concerned, rounded up: one at a time at the least. */
  public static final String DEFAULT_MAX_CONCURRENT = "25%";

  /** Failed nodes that do not halt a rollout. */
  public static final int DEFAULT_MAX_FAILURES = 1;
}

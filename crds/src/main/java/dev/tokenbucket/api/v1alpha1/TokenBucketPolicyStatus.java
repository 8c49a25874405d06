package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The state of the policy, from the nodes' own reports. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record TokenBucketPolicyStatus(
    @JsonPropertyDescription("The generation that the conditions speak of.")
        @Nullable Long observedGeneration,
    @JsonPropertyDescription(
            "The newest generation whose rollout came to its end. A node that goes away afterwards"
                + " does not count as failed for it.")
        @Nullable Long completedGeneration,
    @JsonPropertyDescription(
            "What a person should know first, for the printer column: in force, or what is wrong and"
                + " where.")
        @Nullable String summary,
    @JsonPropertyDescription("The rate, readable: 1k packets/s.") @Nullable String rate,
    @JsonPropertyDescription("The burst in force, the default included: 100 packets.")
        @Nullable String burst,
    @JsonPropertyDescription("How many nodes are how far.") @Nullable NodeCounts nodes,
    @JsonPropertyDescription("At most 10 nodes that failed, by name.") @Size(max = 10)
        @Nullable List<FailedNode> failedNodes,
    @JsonPropertyDescription(
            "At most 10 other policies that may judge the same packets, and which of the two is"
                + " first.")
        @Size(max = 10)
        @Nullable List<String> overlaps,
    @JsonPropertyDescription(
            "Ready, Accepted, Programmed, Degraded; Reconciling and Stalled where they are True.")
        @Nullable List<Condition> conditions) {}

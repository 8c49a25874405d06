package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** How many nodes a policy concerns, and how far they are with its current generation. */
public record NodeCounts(
    @JsonPropertyDescription("Nodes that the policy concerns.") int desired,
    @JsonPropertyDescription("Nodes whose kernel runs this generation, as read back.")
        int programmed,
    @JsonPropertyDescription("Nodes that have yet to report.") int pending,
    @JsonPropertyDescription("Nodes that could not program it.") int failed,
    @JsonPropertyDescription("programmed/desired, for the printer column.") String summary) {}

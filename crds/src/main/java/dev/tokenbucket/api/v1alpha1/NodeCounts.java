package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** The number of nodes that a policy concerns, and their progress with its current generation. */
public record NodeCounts(
    @JsonPropertyDescription("Nodes that the policy concerns.") int desired,
    @JsonPropertyDescription("Nodes whose kernel runs this generation, as read back.")
        int programmed,
    @JsonPropertyDescription("Nodes that have yet to report.") int pending,
    @JsonPropertyDescription(
            "Nodes that could not program it, have no room for it, or went away while it was rolled"
                + " out to them.")
        int failed,
    @JsonPropertyDescription(
            "Nodes of which nothing current is known: no agent answers, or none has since the node"
                + " rebooted or went away.")
        int unknown,
    @JsonPropertyDescription("programmed/desired, for the printer column.") String summary) {}

package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** A node that could not program a policy, and why. */
public record FailedNode(
    @JsonPropertyDescription("The node.") String name,
    @JsonPropertyDescription("Why, in one word.") String reason,
    @JsonPropertyDescription("Why, and what to do.") String message) {}

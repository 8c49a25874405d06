// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** A node that could not program a policy, and why. */
public record FailedNode(
    @JsonPropertyDescription("The node.") String name,
    @JsonPropertyDescription("The reason in one word.") String reason,
    @JsonPropertyDescription("What happened, and what to do.") String message) {}

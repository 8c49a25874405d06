// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** The number of nodes that a policy concerns, and their progress with its current generation. */
public record NodeCounts(
    @JsonPropertyDescription("Nodes that the policy selects.") int desired,
    @JsonPropertyDescription("Nodes whose kernel runs this generation, as read back.")
        int programmed,
    @JsonPropertyDescription("Nodes that have yet to report.") int pending,
    @JsonPropertyDescription(
            "Nodes that could not program the policy, have no room for it, or became"
                + " unavailable during its rollout.")
        int failed,
    @JsonPropertyDescription(
            "Nodes whose state is unknown: no agent answers, or none has answered since"
                + " the node rebooted or became unavailable.")
        int unknown,
    @JsonPropertyDescription("programmed/desired, for the printer column.") String summary) {}

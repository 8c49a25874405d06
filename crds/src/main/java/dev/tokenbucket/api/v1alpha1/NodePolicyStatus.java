// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The state of one policy in a node's kernel; read back, not repeated from the spec. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record NodePolicyStatus(
    @JsonPropertyDescription("The policy's name.") @Size(max = 253) String name,
    @JsonPropertyDescription("The policy's uid.") @Size(max = 64) String uid,
    @JsonPropertyDescription(
            "The generation of the entry in spec that this report answers; reason and"
                + " message refer to it.")
        @Nullable Long observedGeneration,
    @JsonPropertyDescription("The generation in force, as found beside the parameters in the maps.")
        long generation,
    @JsonPropertyDescription("true if the newest generation asked for is in force.")
        boolean programmed,
    @JsonPropertyDescription("The reason in one word, if programmed is false.") @Size(max = 64)
        @Nullable String reason,
    @JsonPropertyDescription("What is wrong, and what to do, if programmed is false.")
        @Size(max = 2048)
        @Nullable String message,
    @JsonPropertyDescription(
            "The rate as found in the maps, readable; for a percentage of the link's speed the"
                + " percentage, and interfaces has the rates.")
        @Size(max = 64)
        @Nullable String rate,
    @JsonPropertyDescription(
            "The burst as found in the maps, readable; absent for a percentage of the link's speed.")
        @Size(max = 64)
        @Nullable String burst,
    @JsonPropertyDescription("Where it runs.") @Size(max = 4096) List<PolicyAttachment> interfaces,
    @JsonPropertyDescription(
            "What a user should know although the policy runs, such as an overlap with"
                + " another policy, or stacked interfaces that count a packet more than once; at"
                + " most 16.")
        @Size(max = 16)
        @Nullable List<@Size(max = 2048) String> warnings,
    @JsonPropertyDescription(
            "When programmed or generation last changed, as an RFC 3339 time by the node's"
                + " clock.")
        @Size(max = 64)
        @Nullable String lastTransitionTime) {

  /** A copy that is unchanged since this time. */
  public NodePolicyStatus since(@Nullable String time) {
    return new NodePolicyStatus(
        name,
        uid,
        observedGeneration,
        generation,
        programmed,
        reason,
        message,
        rate,
        burst,
        interfaces,
        warnings,
        time);
  }
}

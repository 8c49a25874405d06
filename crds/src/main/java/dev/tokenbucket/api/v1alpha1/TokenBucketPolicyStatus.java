// SPDX-License-Identifier: Apache-2.0
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
    @JsonPropertyDescription("The generation that the conditions refer to.")
        @Nullable Long observedGeneration,
    @JsonPropertyDescription(
            "The newest generation whose rollout is complete. A node that becomes"
                + " unavailable afterwards does not count as failed.")
        @Nullable Long completedGeneration,
    @JsonPropertyDescription(
            "A digest of the contents of the address sets that this rollout was of. Absent: the"
                + " policy names no set.")
        @Size(max = 64)
        @Nullable String completedAddressSets,
    @JsonPropertyDescription(
            "What a person should know first, for the printer column: in force, or what is wrong"
                + " and where.")
        @Nullable String summary,
    @JsonPropertyDescription("The rate, readable: 1k packets/s.") @Nullable String rate,
    @JsonPropertyDescription("The burst in force, the default included: 100 packets.")
        @Nullable String burst,
    @JsonPropertyDescription("The numbers of nodes by state.") @Nullable NodeCounts nodes,
    @JsonPropertyDescription("The nodes that failed, by name, at most 10.") @Size(max = 10)
        @Nullable List<FailedNode> failedNodes,
    @JsonPropertyDescription(
            "Other policies that may judge the same packets, at most 10, and which of the"
                + " two applies first.")
        @Size(max = 10)
        @Nullable List<String> overlaps,
    @JsonPropertyDescription(
            "Ready, Accepted, Programmed and Degraded; Reconciling and Stalled only while"
                + " they are True.")
        @Nullable List<Condition> conditions) {}

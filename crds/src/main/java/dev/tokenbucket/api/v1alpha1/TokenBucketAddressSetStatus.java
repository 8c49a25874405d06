// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the operator knows of a set. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record TokenBucketAddressSetStatus(
    @JsonPropertyDescription("The generation that the operator has read.")
        @Nullable Long observedGeneration,
    @JsonPropertyDescription("The number of distinct networks.") @Nullable Integer cidrs,
    @JsonPropertyDescription("The number of policies whose match or exempt names the set.")
        @Nullable Integer policies,
    @JsonPropertyDescription(
            "Ready: the operator has read the set and asks nodes for it, as far as the policies'"
                + " rollouts allow.")
        @Nullable List<Condition> conditions) {}

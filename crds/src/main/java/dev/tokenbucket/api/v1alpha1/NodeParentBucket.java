// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import org.jspecify.annotations.Nullable;

/** The bucket that all of a policy's buckets on a node share; its tokens are the policy's. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record NodeParentBucket(
    @JsonPropertyDescription("The rate in packets, bits or connections per ratePeriod.") long rate,
    @JsonPropertyDescription(
            "The rate's period: the shortest for which the rate is a whole number. Absent: a second.")
        @Nullable RatePeriod ratePeriod,
    @JsonPropertyDescription("The burst in packets, bytes or connections.") long burst) {}

package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import java.util.List;

/** What one node is to run. Written by the operator alone. */
public record TokenBucketNodeStateSpec(
    @JsonPropertyDescription("In the order in which they apply.") List<NodePolicy> policies) {}

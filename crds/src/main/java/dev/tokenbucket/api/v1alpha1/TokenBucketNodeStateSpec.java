package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.crdv2.generator.v1.SchemaCustomizer;
import io.fabric8.generator.annotation.Size;
import java.util.List;

/** What one node is to run. Written by the operator alone. */
@SchemaCustomizer(DistinctRules.class)
public record TokenBucketNodeStateSpec(
    @JsonPropertyDescription("In the order in which they apply.") @Size(max = 256)
        List<NodePolicy> policies) {}

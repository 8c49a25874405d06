// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.crdv2.generator.v1.SchemaCustomizer;
import io.fabric8.generator.annotation.Size;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The policies that one node should run. Only the operator writes it. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@SchemaCustomizer(DistinctRules.class)
public record TokenBucketNodeStateSpec(
    @JsonPropertyDescription("The node's policies, in the order in which they apply.")
        @Size(max = 256)
        List<NodePolicy> policies,
    @JsonPropertyDescription(
            "Pairs of these policies that may judge the same packets, by name, at most 32;"
                + " a applies before b.")
        @Size(max = 32)
        @Nullable List<String> overlaps,
    @JsonPropertyDescription(
            "Traffic on this node that policies with failsafe Enabled do not judge, in"
                + " addition to neighbour discovery and DHCP. Absent: none.")
        @Nullable NodeFailsafe failsafe) {}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import org.jspecify.annotations.Nullable;

/** A hook where a policy runs on a node, read back from the kernel. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record PolicyAttachment(
    @JsonPropertyDescription("The interface's name.") String name,
    @JsonPropertyDescription("TCX, Clsact or XDP.") String hook,
    @JsonPropertyDescription("The kernel's id of the attached program.") long programId,
    @JsonPropertyDescription(
            "The rate on this interface as found in the maps, readable, if the policy asks for a"
                + " percentage of the link's speed.")
        @Size(max = 64)
        @Nullable String rate,
    @JsonPropertyDescription("The burst on this interface, likewise.") @Size(max = 64)
        @Nullable String burst) {}

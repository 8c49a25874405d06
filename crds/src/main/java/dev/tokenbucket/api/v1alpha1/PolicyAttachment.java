// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** A hook where a policy runs on a node, read back from the kernel. */
public record PolicyAttachment(
    @JsonPropertyDescription("The interface's name.") String name,
    @JsonPropertyDescription("TCX, Clsact or XDP.") String hook,
    @JsonPropertyDescription("The kernel's id of the attached program.") long programId) {}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;

/**
 * How much an agent can hold. The operator gives a node no more, and leaves out the last policies
 * in order.
 */
public record NodeLimits(
    @JsonPropertyDescription(
            "Policies that the node can hold. A policy with bucket.per Interface counts"
                + " once per interface, and a policy with exceed.action MarkECN or bucket.parent counts twice.")
        @Min(1)
        @Max(4096)
        int policies,
    @JsonPropertyDescription(
            "Policies that a hook, which is one direction of an interface, can hold.")
        @Min(1)
        @Max(4096)
        int policiesPerHook,
    @JsonPropertyDescription("Terms of match and exempt that the policies of a hook can have.")
        @Min(1)
        @Max(65_536)
        int termsPerHook) {
  /** The limits of this version's agents, also assumed for an agent that has yet to report. */
  public static final NodeLimits DEFAULT = new NodeLimits(127, 64, 256);
}

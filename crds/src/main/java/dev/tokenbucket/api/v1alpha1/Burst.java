// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Quantity;
import org.jspecify.annotations.Nullable;

/** B, the tokens that a full bucket holds: packets, bytes or connections, to match the rate. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = "[has(self.packets), has(self.bytes), has(self.connections)].filter(x, x).size() == 1",
    message = "exactly one of packets, bytes, connections must be set")
public record Burst(
    @JsonPropertyDescription(
            "Packets, from 1 to 1Ti (2^40), a whole number; goes with a rate in packets.")
        @ValidationRule(
            value = QuantityRules.FROM + "1" + QuantityRules.TO + "1Ti" + QuantityRules.WHOLE,
            message = "must be a whole quantity from 1 to 1Ti (2^40) packets")
        @Nullable Quantity packets,
    @JsonPropertyDescription(
            "Bytes, from 1514 (one full frame) to 1Ti (2^40), a whole number; goes with"
                + " a rate in bits and with a percentage of the link's speed.")
        @ValidationRule(
            value = QuantityRules.FROM + "1514" + QuantityRules.TO + "1Ti" + QuantityRules.WHOLE,
            message = "must be a whole quantity from 1514 to 1Ti (2^40) bytes")
        @Nullable Quantity bytes,
    @JsonPropertyDescription(
            "New connections, from 1 to 1Ti (2^40), a whole number; goes with"
                + " a rate in connections.")
        @ValidationRule(
            value = QuantityRules.FROM + "1" + QuantityRules.TO + "1Ti" + QuantityRules.WHOLE,
            message = "must be a whole quantity from 1 to 1Ti (2^40) connections")
        @Nullable Quantity connections) {}

package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Quantity;
import org.jspecify.annotations.Nullable;

/** B, the tokens a full bucket holds; in packets, bytes or connections, as the rate has it. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = "[has(self.packets), has(self.bytes), has(self.connections)].filter(x, x).size() == 1",
    message = "exactly one of packets, bytes, connections must be set")
public record Burst(
    @JsonPropertyDescription(
            "Packets, from 1 to 1Ti (2^40), a whole number; goes with rate.packetsPerSecond.")
        @ValidationRule(
            value =
                "isQuantity(string(self)) && quantity(string(self)).isInteger() &&"
                    + " !quantity(string(self)).isLessThan(quantity('1')) &&"
                    + " !quantity(string(self)).isGreaterThan(quantity('1Ti'))",
            message = "must be a whole quantity from 1 to 1Ti (2^40) packets")
        @Nullable Quantity packets,
    @JsonPropertyDescription(
            "Bytes, from 1514 (one full frame) to 1Ti (2^40), a whole number; goes with"
                + " rate.bitsPerSecond.")
        @ValidationRule(
            value =
                "isQuantity(string(self)) && quantity(string(self)).isInteger() &&"
                    + " !quantity(string(self)).isLessThan(quantity('1514')) &&"
                    + " !quantity(string(self)).isGreaterThan(quantity('1Ti'))",
            message = "must be a whole quantity from 1514 to 1Ti (2^40) bytes")
        @Nullable Quantity bytes,
    @JsonPropertyDescription(
            "New connections, from 1 to 1Ti (2^40), a whole number; goes with"
                + " rate.connectionsPerSecond.")
        @ValidationRule(
            value =
                "isQuantity(string(self)) && quantity(string(self)).isInteger() &&"
                    + " !quantity(string(self)).isLessThan(quantity('1')) &&"
                    + " !quantity(string(self)).isGreaterThan(quantity('1Ti'))",
            message = "must be a whole quantity from 1 to 1Ti (2^40) connections")
        @Nullable Quantity connections) {}

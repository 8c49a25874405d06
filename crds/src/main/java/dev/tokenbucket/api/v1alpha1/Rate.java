package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Quantity;
import org.jspecify.annotations.Nullable;

/** Q, the tokens that a bucket regains per second. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value =
        "[has(self.packetsPerSecond), has(self.bitsPerSecond),"
            + " has(self.connectionsPerSecond)].filter(x, x).size() == 1",
    message = "exactly one of packetsPerSecond, bitsPerSecond, connectionsPerSecond must be set")
public record Rate(
    @JsonPropertyDescription("Packets a second, from 1 to 10G (10 Gpps), a whole number.")
        @ValidationRule(
            value = QuantityRules.FROM + "1" + QuantityRules.TO + "10G" + QuantityRules.WHOLE,
            message = "must be a whole quantity from 1 to 10G packets a second")
        @Nullable Quantity packetsPerSecond,
    @JsonPropertyDescription(
            "Bits a second of L2 frames without FCS, from 8 to 10T (10 Tbit/s), a whole number.")
        @ValidationRule(
            value = QuantityRules.FROM + "8" + QuantityRules.TO + "10T" + QuantityRules.WHOLE,
            message = "must be a whole quantity from 8 to 10T bits a second")
        @Nullable Quantity bitsPerSecond,
    @JsonPropertyDescription(
            "New TCP connections a second, from 1 to 10G, a whole number. Only packets that open a"
                + " connection are limited, those with SYN and not ACK, a repeated SYN being one"
                + " more; a term of match has protocol TCP or none.")
        @ValidationRule(
            value = QuantityRules.FROM + "1" + QuantityRules.TO + "10G" + QuantityRules.WHOLE,
            message = "must be a whole quantity from 1 to 10G connections a second")
        @Nullable Quantity connectionsPerSecond) {}

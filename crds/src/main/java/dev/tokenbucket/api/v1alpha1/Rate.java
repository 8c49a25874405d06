// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Quantity;
import org.jspecify.annotations.Nullable;

/** Q, the tokens that a bucket regains per period. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = UnitRules.ONE_RATE,
    message =
        "exactly one of packetsPerSecond, bitsPerSecond, connectionsPerSecond must be set, or one of"
            + " packets, bits, connections with per, or percentOfLinkSpeed")
@ValidationRule(
    value = UnitRules.PER_GOES_WITH_AN_AMOUNT,
    fieldPath = ".per",
    reason = "FieldValueForbidden",
    message =
        "per goes with packets, bits or connections, not with a rate per second: for 6 connections"
            + " per minute write connections: 6, per: Minute; nor with percentOfLinkSpeed")
@ValidationRule(
    value = UnitRules.BITS_ARE_ENOUGH,
    fieldPath = ".bits",
    message = "must be at least 8 bits per second: 480 with per Minute, 28800 with per Hour")
public record Rate(
    @JsonPropertyDescription("Packets per second, a whole number from 1 to 10G (10 Gpps).")
        @ValidationRule(
            value = QuantityRules.FROM + "1" + QuantityRules.TO + "10G" + QuantityRules.WHOLE,
            message = "must be a whole quantity from 1 to 10G packets per second")
        @Nullable Quantity packetsPerSecond,
    @JsonPropertyDescription(
            "Bits per second of L2 frames without FCS, a whole number from 8 to 10T (10"
                + " Tbit/s).")
        @ValidationRule(
            value = QuantityRules.FROM + "8" + QuantityRules.TO + "10T" + QuantityRules.WHOLE,
            message = "must be a whole quantity from 8 to 10T bits per second")
        @Nullable Quantity bitsPerSecond,
    @JsonPropertyDescription(
            "New TCP connections per second, a whole number from 1 to 10G. Only packets"
                + " that open a connection are limited: those with SYN and not ACK; a repeated"
                + " SYN counts again. The terms of match must have protocol TCP or no protocol.")
        @ValidationRule(
            value = QuantityRules.FROM + "1" + QuantityRules.TO + "10G" + QuantityRules.WHOLE,
            message = "must be a whole quantity from 1 to 10G connections per second")
        @Nullable Quantity connectionsPerSecond,
    @JsonPropertyDescription("Packets per period (see per), from 1 to 10G, a whole number.")
        @ValidationRule(
            value = QuantityRules.FROM + "1" + QuantityRules.TO + "10G" + QuantityRules.WHOLE,
            message = "must be a whole quantity from 1 to 10G packets")
        @Nullable Quantity packets,
    @JsonPropertyDescription(
            "Bits per period (see per) of L2 frames without FCS, a whole number: from 8 per second, 480"
                + " per minute or 28800 per hour, to 10T.")
        @ValidationRule(
            value = QuantityRules.FROM + "8" + QuantityRules.TO + "10T" + QuantityRules.WHOLE,
            message = "must be a whole quantity from 8 to 10T bits")
        @Nullable Quantity bits,
    @JsonPropertyDescription(
            "New TCP connections per period (see per), from 1 to 10G, a whole number; counted as by"
                + " connectionsPerSecond.")
        @ValidationRule(
            value = QuantityRules.FROM + "1" + QuantityRules.TO + "10G" + QuantityRules.WHOLE,
            message = "must be a whole quantity from 1 to 10G connections")
        @Nullable Quantity connections,
    @JsonPropertyDescription(
            "The period of packets, bits or connections. A bucket regains them evenly, not all at"
                + " once: 6 per minute are one per 10 s. Absent: Second.")
        @Nullable RatePeriod per,
    @JsonPropertyDescription(
            "A percentage of the speed that an interface's link reports, from 1 to 100: 10 on a link of"
                + " 25 Gbit/s is 2.5 Gbit/s. Each node works it out per interface, and again when the"
                + " speed changes; bucket.per must be Interface. The policy is not on an interface that"
                + " reports no speed, and the status says so.")
        @ValidationRule(value = "self >= 1 && self <= 100", message = "must be from 1 to 100")
        @Nullable Integer percentOfLinkSpeed) {}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.ValidationRule;
import org.jspecify.annotations.Nullable;

/** The bucket that all of a policy's buckets on a node share. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = UnitRules.PACKETS,
    fieldPath = ".burst.packets",
    reason = "FieldValueForbidden",
    message = UnitRules.PACKETS_MESSAGE)
@ValidationRule(
    value = UnitRules.BYTES,
    fieldPath = ".burst.bytes",
    reason = "FieldValueForbidden",
    message = UnitRules.BYTES_MESSAGE)
@ValidationRule(
    value = UnitRules.CONNECTIONS,
    fieldPath = ".burst.connections",
    reason = "FieldValueForbidden",
    message = UnitRules.CONNECTIONS_MESSAGE)
@ValidationRule(
    value = "!has(self.rate.percentOfLinkSpeed)",
    fieldPath = ".rate.percentOfLinkSpeed",
    reason = "FieldValueForbidden",
    message =
        "a parent has one rate for all interfaces, which differ in speed; set packetsPerSecond,"
            + " bitsPerSecond or connectionsPerSecond")
public record ParentBucket(
    @JsonPropertyDescription(
            "What the parent regains, as in spec.rate, and in the unit of spec.rate: packets, bits"
                + " or connections. The period may be another one.")
        @Required
        Rate rate,
    @JsonPropertyDescription(
            "What the full parent holds, in the rate's unit. Absent: as for spec.burst.")
        @Nullable Burst burst) {}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.ValidationRule;
import org.jspecify.annotations.Nullable;

/** How packets that exceed are treated. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = "!has(self.action) || self.action != 'SetDSCP' || has(self.dscp)",
    fieldPath = ".dscp",
    reason = "FieldValueRequired",
    message = "action SetDSCP requires dscp, from 0 to 63")
@ValidationRule(
    value = "!has(self.dscp) || has(self.action) && self.action == 'SetDSCP'",
    fieldPath = ".dscp",
    reason = "FieldValueForbidden",
    message = "dscp is allowed only with action SetDSCP")
public record Exceed(
    @JsonPropertyDescription(
            "Drop drops the packet. MarkECN sets CE (congestion experienced) in the ECN"
                + " field of an ECN-capable packet, so that its sender slows down, and drops any"
                + " other packet; marked packets draw on a second bucket of the same rate and"
                + " burst, and packets that exceed this bucket are dropped. SetDSCP sets the"
                + " packet's DSCP to dscp and lets the packet pass: SetDSCP marks and does not"
                + " limit.")
        @Default("Drop")
        @Nullable ExceedAction action,
    @JsonPropertyDescription(
            "The DSCP (differentiated services code point), from 0 to 63, that exceeding"
                + " packets get. Required with action SetDSCP, and allowed only with that action.")
        @ValidationRule(value = "self >= 0 && self <= 63", message = "must be from 0 to 63")
        @Nullable Integer dscp) {}

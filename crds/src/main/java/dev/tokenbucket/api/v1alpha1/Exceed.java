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
    message = "action SetDSCP needs a dscp from 0 to 63")
@ValidationRule(
    value = "!has(self.dscp) || has(self.action) && self.action == 'SetDSCP'",
    fieldPath = ".dscp",
    reason = "FieldValueForbidden",
    message = "dscp goes with action SetDSCP only")
public record Exceed(
    @JsonPropertyDescription(
            "Drop drops the packet. MarkECN sets CE (congestion experienced) in the ECN field of a"
                + " packet that is ECN-capable, for its sender to slow down, and drops any other;"
                + " marked packets draw on a second bucket of the same rate and burst and are"
                + " dropped beyond it. SetDSCP sets the packet's DSCP to dscp and lets it pass: it"
                + " marks, it does not limit.")
        @Default("Drop")
        @Nullable ExceedAction action,
    @JsonPropertyDescription(
            "The DSCP (differentiated services code point), from 0 to 63, that packets that exceed"
                + " are given; required with action SetDSCP, and goes with it only.")
        @ValidationRule(value = "self >= 0 && self <= 63", message = "must be from 0 to 63")
        @Nullable Integer dscp) {}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.ValidationRule;
import org.jspecify.annotations.Nullable;

/** The kind of an ICMP or ICMPv6 message; the two protocols have different numbers. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Icmp(
    @JsonPropertyDescription(
            "The message's type, from 0 to 255: an echo request (ping) is 8 in ICMP and"
                + " 128 in ICMPv6.")
        @Required
        @ValidationRule(value = "self >= 0 && self <= 255", message = "must be from 0 to 255")
        @Nullable Integer type,
    @JsonPropertyDescription("The type's code, from 0 to 255. Absent: any code.")
        @ValidationRule(value = "self >= 0 && self <= 255", message = "must be from 0 to 255")
        @Nullable Integer code) {
  /** Whether a message can be both. */
  boolean agreesWith(Icmp other) {
    return (type == null || other.type == null || type.equals(other.type))
        && (code == null || other.code == null || code.equals(other.code));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** Lengths of IP packets in bytes, both ends included. */
public record LengthRange(
    @JsonPropertyDescription("The shortest length.") int from,
    @JsonPropertyDescription("The longest length; 65535 also stands for all longer packets.")
        int to) {
  /** The range as a user writes it: 40, or 40-100. */
  @Override
  public String toString() {
    return from == to ? Integer.toString(from) : from + "-" + to;
  }
}

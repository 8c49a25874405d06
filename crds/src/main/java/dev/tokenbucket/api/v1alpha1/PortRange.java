// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** Ports from 1 to 65535, both ends included. */
public record PortRange(
    @JsonPropertyDescription("The lowest port.") int from,
    @JsonPropertyDescription("The highest port.") int to) {
  /** The range as a user writes it: 443, or 8000-8999. */
  @Override
  public String toString() {
    return from == to ? Integer.toString(from) : from + "-" + to;
  }
}

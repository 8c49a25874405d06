// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;

/** An address set with certain contents, as a node should use it. */
@JsonInclude(JsonInclude.Include.NON_DEFAULT)
public record AddressSetRef(
    @JsonPropertyDescription("The set's name.")
        @Size(max = 253)
        @JsonInclude(JsonInclude.Include.ALWAYS)
        String name,
    @JsonPropertyDescription(
            "The SHA-256 digest of the set's networks, first 32 digits. The node uses the set with"
                + " exactly these contents.")
        @Size(max = 64)
        @JsonInclude(JsonInclude.Include.NON_EMPTY)
        String contentHash,
    @JsonPropertyDescription("The number of distinct networks.") int cidrs) {

  /** Sets fields that JSON omits to their defaults. */
  public AddressSetRef {
    contentHash = contentHash == null ? "" : contentHash;
  }

  /** A set whose contents are not known yet. */
  static AddressSetRef named(String name) {
    return new AddressSetRef(name, "", 0);
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.crdv2.generator.v1.SchemaCustomizer;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import java.util.List;

/** The networks of a set. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@SchemaCustomizer(AddressSetSchema.class)
public record TokenBucketAddressSetSpec(
    @JsonPropertyDescription(
            "IPv4 or IPv6 networks, such as 192.0.2.0/24 or 2001:db8::/32; bits after the prefix"
                + " length are 0. Order and repetitions do not matter. An empty list is a set that"
                + " contains no address: a term that asks for nothing but this set as source then"
                + " matches no packet. One writer replaces the list as a whole.")
        @Required
        @Size(max = TokenBucketAddressSetSpec.MAX_CIDRS)
        List<String> cidrs) {
  /** The most networks of a set. */
  public static final int MAX_CIDRS = 10_000;

  /** Sets a list that JSON omits to empty. */
  public TokenBucketAddressSetSpec {
    cidrs = NodePolicy.orEmpty(cidrs);
  }
}

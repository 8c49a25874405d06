// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The flags that a TCP packet must have, and those that it must not have; others may be either. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@ValidationRule(
    value = "has(self.set) || has(self.unset)",
    message = "at least one of set, unset must be set")
@ValidationRule(
    value = "!has(self.set) || !has(self.unset) || !self.set.exists(f, f in self.unset)",
    message = "a flag is in set or in unset, not in both: this term matches nothing")
public record TcpFlags(
    @JsonPropertyDescription("Flags that are all set: FIN, SYN, RST, PSH, ACK, URG, ECE, CWR.")
        @Size(min = 1, max = 8)
        @Nullable List<TcpFlag> set,
    @JsonPropertyDescription("Flags that are all unset.") @Size(min = 1, max = 8)
        @Nullable List<TcpFlag> unset) {
  /** The flags that must be set; empty if absent. */
  public List<TcpFlag> allSet() {
    return NodePolicy.orEmpty(set);
  }

  /** The flags that must not be set; empty if absent. */
  public List<TcpFlag> allUnset() {
    return NodePolicy.orEmpty(unset);
  }

  /** A copy in canonical order, with each flag once. */
  TcpFlags canonical() {
    return new TcpFlags(canonical(set), canonical(unset));
  }

  private static @Nullable List<TcpFlag> canonical(@Nullable List<TcpFlag> flags) {
    return flags == null ? null : flags.stream().distinct().sorted().toList();
  }

  /** Whether a packet can fulfil both. */
  boolean agreesWith(TcpFlags other) {
    return allSet().stream().noneMatch(other.allUnset()::contains)
        && allUnset().stream().noneMatch(other.allSet()::contains);
  }
}

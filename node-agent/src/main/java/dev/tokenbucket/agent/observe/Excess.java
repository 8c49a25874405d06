// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.observe;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import dev.tokenbucket.api.v1alpha1.Direction;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A packet that exceeded a policy.
 *
 * @param key the key of the bucket that judged the packet, or "all"
 * @param source absent, like the fields after it, if the packet does not tell
 * @param length L2 bytes, of all packets of a merged one
 * @param packets how many packets on the wire: more than 1 if the kernel has merged them
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Excess(
    @JsonSerialize(using = ToStringSerializer.class) Instant time,
    @JsonProperty("interface") String interfaceName,
    Direction direction,
    String policy,
    Outcome outcome,
    String key,
    @Nullable String source,
    @Nullable String destination,
    @Nullable String protocol,
    @Nullable Integer sourcePort,
    @Nullable Integer destinationPort,
    long length,
    long packets) {

  /** What happened to the packet. */
  public enum Outcome {
    Refused("refused"),
    /** Passed, because the policy's mode is Audit. */
    Audited("would refuse"),
    /** Passed with CE or another DSCP. */
    Marked("marked");

    private final String text;

    Outcome(String text) {
      this.text = text;
    }

    /** The outcome for people. */
    public String text() {
      return text;
    }
  }
}

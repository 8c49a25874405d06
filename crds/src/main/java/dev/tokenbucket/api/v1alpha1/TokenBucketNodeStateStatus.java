// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The state that one node's agent read back from its kernel. Only that agent writes it. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record TokenBucketNodeStateStatus(
    @JsonPropertyDescription("The generation of this object that the agent has acted on.")
        @Nullable Long observedGeneration,
    @JsonPropertyDescription("Programmed policies/policies asked for, for the printer column.")
        @Size(max = 64)
        @Nullable String summary,
    @JsonPropertyDescription("What the agent found missing on the host, if anything.")
        @Size(max = 64)
        @Nullable List<@Size(max = 2048) String> preflight,
    @JsonPropertyDescription("What the kernel runs for each policy in spec.") @Size(max = 256)
        @Nullable List<NodePolicyStatus> policies,
    @JsonPropertyDescription(
            "Traffic that is exempt from policies with failsafe Enabled, one kind per line.")
        @Size(max = 1024)
        @Nullable List<@Size(max = 2048) String> exempt,
    @JsonPropertyDescription("The agent's version.") @Size(max = 128) @Nullable String agentVersion,
    @JsonPropertyDescription(
            "How much this agent can hold. Absent: 127 policies; per hook, 64 policies and"
                + " 256 terms.")
        @Nullable NodeLimits limits,
    @JsonPropertyDescription(
            "The boot of the node that this report is from: the kernel's boot_id. After a"
                + " reboot, reports from earlier boots no longer hold.")
        @Size(max = 64)
        @Nullable String bootID,
    @JsonPropertyDescription(
            "When the agent last wrote this status, as an RFC 3339 time by the node's"
                + " clock. A running agent that reaches the API server writes at least every two"
                + " minutes.")
        @Size(max = 64)
        @Nullable String lastContactTime,
    @JsonPropertyDescription("Repaired.") @Size(max = 16) @Nullable List<Condition> conditions) {

  /** A copy with these limits of the agent. */
  public TokenBucketNodeStateStatus withLimits(NodeLimits most) {
    return new TokenBucketNodeStateStatus(
        observedGeneration,
        summary,
        preflight,
        policies,
        exempt,
        agentVersion,
        most,
        bootID,
        lastContactTime,
        conditions);
  }

  /** A copy reported by this boot of the node at this time. */
  public TokenBucketNodeStateStatus reportedAt(@Nullable String boot, @Nullable String time) {
    return new TokenBucketNodeStateStatus(
        observedGeneration,
        summary,
        preflight,
        policies,
        exempt,
        agentVersion,
        limits,
        boot,
        time,
        conditions);
  }
}

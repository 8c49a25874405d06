package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a node's kernel runs of one policy; read back, not repeated from the spec. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record NodePolicyStatus(
    @JsonPropertyDescription("The policy's name.") String name,
    @JsonPropertyDescription("The policy's uid.") String uid,
    @JsonPropertyDescription(
            "The generation of the spec's entry that this answers: reason and message speak of it.")
        @Nullable Long observedGeneration,
    @JsonPropertyDescription("The generation in force, as found beside the parameters in the maps.")
        long generation,
    @JsonPropertyDescription("true where the newest generation asked for is in force.")
        boolean programmed,
    @JsonPropertyDescription("Why not, in one word.") @Nullable String reason,
    @JsonPropertyDescription("Why not, and what to do.") @Nullable String message,
    @JsonPropertyDescription("Q as found in the maps, readable.") @Nullable String rate,
    @JsonPropertyDescription("B as found in the maps, readable.") @Nullable String burst,
    @JsonPropertyDescription("Where it runs.") List<PolicyAttachment> interfaces,
    @JsonPropertyDescription(
            "What a user should know though it runs, such as an overlap with another policy, or"
                + " stacked interfaces that count a packet more than once; at most 16.")
        @Size(max = 16)
        @Nullable List<String> warnings) {}

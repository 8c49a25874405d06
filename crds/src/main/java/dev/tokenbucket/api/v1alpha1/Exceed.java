package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import org.jspecify.annotations.Nullable;

/** What becomes of packets that exceed. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Exceed(
    @JsonPropertyDescription("Drop is the one action so far.") @Default("Drop")
        @Nullable ExceedAction action) {}

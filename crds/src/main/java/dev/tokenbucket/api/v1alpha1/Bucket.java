package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.ValidationRule;
import org.jspecify.annotations.Nullable;

/** Which packets share a bucket, and how many buckets there may be on a node. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Bucket(
    @JsonPropertyDescription(
            "Node: one bucket for the whole node. SourceIP: one for each IPv4 source address and each"
                + " IPv6 source /64.")
        @Default("Node")
        @Nullable BucketPer per,
    @JsonPropertyDescription(
            "How many SourceIP buckets a node holds. Sources that find no place share one further"
                + " bucket of the same rate.")
        @ValidationRule(
            value = "self >= 1 && self <= 4000000",
            message = "must be from 1 to 4000000")
        @Default("65536")
        @Nullable Integer capacity) {}

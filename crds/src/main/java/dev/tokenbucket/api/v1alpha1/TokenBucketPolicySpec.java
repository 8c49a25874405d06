package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.crdv2.generator.v1.SchemaCustomizer;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.LabelSelector;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a user asks for. Absent fields other than {@code rate} have the documented default. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = "!has(self.burst) || !has(self.burst.packets) || has(self.rate.packetsPerSecond)",
    fieldPath = ".burst.packets",
    reason = "FieldValueForbidden",
    message =
        "burst.packets goes with rate.packetsPerSecond; with rate.bitsPerSecond set burst.bytes")
@ValidationRule(
    value = "!has(self.burst) || !has(self.burst.bytes) || has(self.rate.bitsPerSecond)",
    fieldPath = ".burst.bytes",
    reason = "FieldValueForbidden",
    message =
        "burst.bytes goes with rate.bitsPerSecond; with rate.packetsPerSecond set burst.packets")
@SchemaCustomizer(DistinctRules.class)
public record TokenBucketPolicySpec(
    @JsonPropertyDescription("The nodes concerned, by their labels; absent: every node.")
        @Nullable LabelSelector nodeSelector,
    @JsonPropertyDescription("The host interfaces; absent: those that carry a default route.")
        @Size(min = 1, max = 32)
        @Nullable List<InterfaceSelector> interfaces,
    @JsonPropertyDescription("The direction as the interface sees it; absent: Ingress.")
        @Default("Ingress")
        @Nullable Direction direction,
    @JsonPropertyDescription(
            "The order among policies: lower first, ties by name. A packet that one policy drops is"
                + " not seen by later ones.")
        @ValidationRule(value = "self >= 0 && self <= 1000", message = "must be from 0 to 1000")
        @Default("500")
        @Nullable Integer priority,
    @JsonPropertyDescription("Which packets share a bucket.") @Default("{}")
        @Nullable Bucket bucket,
    @JsonPropertyDescription("Q, what a bucket regains each second.") @Required Rate rate,
    @JsonPropertyDescription(
            "B, what a full bucket holds. Absent: what the rate grants in 100 ms, at least 10 packets"
                + " or 15140 bytes.")
        @Nullable Burst burst,
    @JsonPropertyDescription("What becomes of packets that exceed.") @Default("{}")
        @Nullable Exceed exceed,
    @JsonPropertyDescription(
            "Enforce acts on packets that exceed; Audit only counts what it would have dropped.")
        @Default("Enforce")
        @Nullable Mode mode) {}

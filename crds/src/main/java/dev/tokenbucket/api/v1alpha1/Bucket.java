package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.ValidationRule;
import org.jspecify.annotations.Nullable;

/** Which packets share a bucket, and how many buckets there may be on a node. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value =
        "!(has(self.ipv4PrefixLength) || has(self.ipv6PrefixLength)) || self.per in ['SourceIP',"
            + " 'DestinationIP', 'SourceAndDestinationIP']",
    message =
        "ipv4PrefixLength and ipv6PrefixLength go with per SourceIP, DestinationIP and"
            + " SourceAndDestinationIP only")
@ValidationRule(
    value =
        "!has(self.capacity) || self.capacity < 1 || self.capacity > 4000000 || has(self.per) &&"
            + " self.per in ['SourceIP', 'DestinationIP',"
            + " 'SourceAndDestinationIP', 'Flow']",
    fieldPath = ".capacity",
    reason = "FieldValueForbidden",
    message =
        "capacity goes with per SourceIP, DestinationIP, SourceAndDestinationIP and Flow only")
@ValidationRule(
    value =
        "!has(self.onFull) || self.onFull != 'EvictOldest' || has(self.per) && self.per in"
            + " ['SourceIP', 'DestinationIP', 'SourceAndDestinationIP', 'Flow']",
    fieldPath = ".onFull",
    reason = "FieldValueForbidden",
    message =
        "EvictOldest goes with per SourceIP, DestinationIP, SourceAndDestinationIP and Flow only")
public record Bucket(
    @JsonPropertyDescription(
            "Node: one bucket for the whole node. Interface: one for each interface. SourceIP,"
                + " DestinationIP: one for each address, widened by ipv4PrefixLength and"
                + " ipv6PrefixLength. SourceAndDestinationIP: one for each pair of them, such as a"
                + " client and a service, both widened so. Flow: one for each 5-tuple of addresses,"
                + " protocol and ports; ports that a packet does not carry are 0.")
        @Default("Node")
        @Nullable BucketPer per,
    @JsonPropertyDescription(
            "How many SourceIP, DestinationIP, SourceAndDestinationIP or Flow buckets a node holds;"
                + " onFull says what becomes of those that find no place. Goes with those only;"
                + " absent: 65536.")
        @ValidationRule(
            value = "self >= 1 && self <= 4000000",
            message = "must be from 1 to 4000000")
        @Nullable Integer capacity,
    @JsonPropertyDescription(
            "What becomes of those that find the table full. ShareBucket: they share one further"
                + " bucket of the same rate, so that known ones keep theirs. EvictOldest: the bucket"
                + " used longest ago makes room; what it owed is forgotten, so the limit does not"
                + " hold against more sources than capacity; goes with per SourceIP, DestinationIP,"
                + " SourceAndDestinationIP and Flow.")
        @Default("ShareBucket")
        @Nullable OnFull onFull,
    @JsonPropertyDescription(
            "IPv4 addresses that agree in so many leading bits share a bucket; goes with per"
                + " SourceIP, DestinationIP and SourceAndDestinationIP; absent: 32.")
        @ValidationRule(value = "self >= 1 && self <= 32", message = "must be from 1 to 32")
        @Nullable Integer ipv4PrefixLength,
    @JsonPropertyDescription(
            "IPv6 addresses that agree in so many leading bits share a bucket; goes with per"
                + " SourceIP, DestinationIP and SourceAndDestinationIP; absent: 64, since a host"
                + " usually has a whole /64 to choose addresses from.")
        @ValidationRule(value = "self >= 1 && self <= 128", message = "must be from 1 to 128")
        @Nullable Integer ipv6PrefixLength) {
  /** Every field at its default. */
  static final Bucket DEFAULT = new Bucket(null, null, null, null, null);
}

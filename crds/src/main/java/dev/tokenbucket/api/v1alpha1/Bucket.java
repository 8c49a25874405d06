// SPDX-License-Identifier: Apache-2.0
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
        "ipv4PrefixLength and ipv6PrefixLength are allowed only with per SourceIP,"
            + " DestinationIP and SourceAndDestinationIP")
@ValidationRule(
    value =
        "!has(self.capacity) || self.capacity < 1 || self.capacity > 4000000 || has(self.per) &&"
            + " self.per in ['SourceIP', 'DestinationIP',"
            + " 'SourceAndDestinationIP', 'Flow']",
    fieldPath = ".capacity",
    reason = "FieldValueForbidden",
    message =
        "capacity is allowed only with per SourceIP, DestinationIP,"
            + " SourceAndDestinationIP and Flow")
@ValidationRule(
    value =
        "!has(self.onFull) || self.onFull != 'EvictOldest' || has(self.per) && self.per in"
            + " ['SourceIP', 'DestinationIP', 'SourceAndDestinationIP', 'Flow']",
    fieldPath = ".onFull",
    reason = "FieldValueForbidden",
    message =
        "EvictOldest is allowed only with per SourceIP, DestinationIP,"
            + " SourceAndDestinationIP and Flow")
@ValidationRule(
    value =
        "!has(self.parent) || has(self.per) && self.per in ['SourceIP', 'DestinationIP',"
            + " 'SourceAndDestinationIP', 'Flow']",
    fieldPath = ".parent",
    reason = "FieldValueForbidden",
    message =
        "parent is allowed only with per SourceIP, DestinationIP, SourceAndDestinationIP and"
            + " Flow: with Node and Interface no buckets could share it")
public record Bucket(
    @JsonPropertyDescription(
            "Node: one bucket for the whole node. Interface: one per interface. SourceIP,"
                + " DestinationIP: one per address, or per network if ipv4PrefixLength or"
                + " ipv6PrefixLength is shorter. SourceAndDestinationIP: one per pair of both,"
                + " such as a client and a service; the prefix lengths apply to both addresses."
                + " Flow: one per 5-tuple of addresses, protocol and ports; ports that a packet"
                + " does not carry are 0.")
        @Default("Node")
        @Nullable BucketPer per,
    @JsonPropertyDescription(
            "How many SourceIP, DestinationIP, SourceAndDestinationIP or Flow buckets a"
                + " node holds; onFull says what happens when all are in use. Allowed only with"
                + " these values of per. Absent: 65536.")
        @ValidationRule(
            value = "self >= 1 && self <= 4000000",
            message = "must be from 1 to 4000000")
        @Nullable Integer capacity,
    @JsonPropertyDescription(
            "What happens when the table is full. ShareBucket: keys without a bucket share"
                + " one further bucket of the same rate, and existing buckets stay. EvictOldest:"
                + " the least recently used bucket makes room and its debt is forgotten, so the"
                + " limit does not hold against more sources than capacity; allowed only with"
                + " per SourceIP, DestinationIP, SourceAndDestinationIP and Flow.")
        @Default("ShareBucket")
        @Nullable OnFull onFull,
    @JsonPropertyDescription(
            "IPv4 addresses that agree in this many leading bits share a bucket. Allowed"
                + " only with per SourceIP, DestinationIP and SourceAndDestinationIP. Absent: 32.")
        @ValidationRule(value = "self >= 1 && self <= 32", message = "must be from 1 to 32")
        @Nullable Integer ipv4PrefixLength,
    @JsonPropertyDescription(
            "IPv6 addresses that agree in this many leading bits share a bucket. Allowed"
                + " only with per SourceIP, DestinationIP and SourceAndDestinationIP. Absent:"
                + " 64, because a host usually has a whole /64 to choose addresses from.")
        @ValidationRule(value = "self >= 1 && self <= 128", message = "must be from 1 to 128")
        @Nullable Integer ipv6PrefixLength,
    @JsonPropertyDescription(
            "A bucket that all of the policy's buckets on a node share, as a cap for all of them"
                + " together. A packet conforms when its own bucket and the parent both have the"
                + " tokens, and then takes them from both; a packet that exceeds takes none from"
                + " either. So a source above its own rate takes nothing from the others. Allowed"
                + " only with per SourceIP, DestinationIP, SourceAndDestinationIP and Flow, and not"
                + " with MarkECN. Absent: no cap.")
        @Nullable ParentBucket parent) {
  /** Every field at its default. */
  static final Bucket DEFAULT = new Bucket(null, null, null, null, null, null);
}

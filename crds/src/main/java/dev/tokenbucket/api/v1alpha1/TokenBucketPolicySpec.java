// SPDX-License-Identifier: Apache-2.0
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

/**
 * The limit that a user asks for. Absent fields other than {@code rate} have the documented
 * default.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = UnitRules.PACKETS,
    fieldPath = ".burst.packets",
    reason = "FieldValueForbidden",
    message = UnitRules.PACKETS_MESSAGE)
@ValidationRule(
    value = UnitRules.BYTES,
    fieldPath = ".burst.bytes",
    reason = "FieldValueForbidden",
    message = UnitRules.BYTES_MESSAGE)
@ValidationRule(
    value = UnitRules.CONNECTIONS,
    fieldPath = ".burst.connections",
    reason = "FieldValueForbidden",
    message = UnitRules.CONNECTIONS_MESSAGE)
@ValidationRule(
    value = UnitRules.PERCENTAGE_IS_PER_INTERFACE,
    fieldPath = ".rate.percentOfLinkSpeed",
    reason = "FieldValueForbidden",
    message =
        "percentOfLinkSpeed needs bucket.per Interface: links differ in speed, so each interface"
            + " has a rate and a bucket of its own")
@ValidationRule(
    value = MatchRules.CONNECTIONS_ARE_TCP,
    fieldPath = ".match",
    reason = "FieldValueForbidden",
    message =
        "with a rate in connections each term has protocol TCP, or none: only TCP connections"
            + " are counted")
@ValidationRule(
    value = MatchRules.CONNECTIONS_BEGIN_WITH_SYN,
    fieldPath = ".match",
    reason = "FieldValueForbidden",
    message =
        "with a rate in connections no term asks for ACK, for a packet without SYN, or for later"
            + " fragments: only packets that open a connection are counted, so it matches nothing")
@ValidationRule(
    value =
        "!"
            + UnitRules.RATE_IN_CONNECTIONS
            + " || !has(self.exceed) || !has(self.exceed.action) ||"
            + " self.exceed.action != 'MarkECN'",
    fieldPath = ".exceed.action",
    reason = "FieldValueForbidden",
    message =
        "MarkECN does not go with a rate in connections: a packet that opens a connection is"
            + " never ECN-capable, so each would be dropped; use Drop")
@ValidationRule(
    value = UnitRules.PARENT_HAS_THE_SAME_UNIT,
    fieldPath = ".bucket.parent.rate",
    reason = "FieldValueForbidden",
    message =
        "bucket.parent.rate counts what rate counts: packets, bits or connections; a packet takes"
            + " the same tokens from both buckets")
@ValidationRule(
    value =
        "!has(self.bucket) || !has(self.bucket.parent) || !has(self.exceed) ||"
            + " !has(self.exceed.action) || self.exceed.action != 'MarkECN'",
    fieldPath = ".exceed.action",
    reason = "FieldValueForbidden",
    message =
        "MarkECN does not go with bucket.parent: marked packets have a limit of their own, which"
            + " the parent would not cap; use Drop or SetDSCP")
@ValidationRule(
    value =
        "!has(self.hook) || self.hook == 'TC' || !has(self.direction) || self.direction =="
            + " 'Ingress'",
    fieldPath = ".hook",
    reason = "FieldValueForbidden",
    message =
        "XDP and PreferXDP need direction Ingress: XDP sees only the packets that an interface"
            + " receives; for Egress use TC")
@SchemaCustomizer(DistinctRules.class)
public record TokenBucketPolicySpec(
    @JsonPropertyDescription(
            "The nodes that the policy selects, by their labels. Absent: every node.")
        @Nullable LabelSelector nodeSelector,
    @JsonPropertyDescription("The host interfaces. Absent: those that carry a default route.")
        @Size(min = 1, max = 32)
        @Nullable List<InterfaceSelector> interfaces,
    @JsonPropertyDescription(
            "Ingress: packets that the interface receives. Egress: packets that it sends."
                + " Default Ingress.")
        @Default("Ingress")
        @Nullable Direction direction,
    @JsonPropertyDescription(
            "The hook of each interface that the policy runs on. TC: behind the driver, on every"
                + " interface. XDP: in the driver, which refuses packets at a fraction of the cost;"
                + " the policy is not on an interface whose driver has no native XDP, and the status"
                + " says so. PreferXDP: XDP where the driver has it, and TC elsewhere. Policies with"
                + " XDP or PreferXDP come before all others, whatever their priority. Both need"
                + " direction Ingress. Default TC.")
        @Default("TC")
        @Nullable Hook hook,
    @JsonPropertyDescription(
            "The order among policies, from 0 to 1000: lower first, ties by name. A packet"
                + " that one policy drops does not reach later policies; later policies see a"
                + " packet as earlier ones left it.")
        @ValidationRule(value = "self >= 0 && self <= 1000", message = "must be from 0 to 1000")
        @Default("500")
        @Nullable Integer priority,
    @JsonPropertyDescription(
            "The packets to limit: those that any of these terms matches. Absent: all IP"
                + " traffic. Other packets pass to the next policy, uncounted.")
        @Size(min = 1, max = 64)
        @Nullable List<MatchTerm> match,
    @JsonPropertyDescription(
            "Packets that any of these terms matches pass to the next policy, uncounted, whatever"
                + " match says.")
        @Size(min = 1, max = 64)
        @Nullable List<MatchTerm> exempt,
    @JsonPropertyDescription(
            "Enabled: traffic that the node needs to stay in its cluster is exempt, within"
                + " generous buckets of its own: ARP, neighbour discovery, DHCP, the kubelet's"
                + " port and the API servers' addresses, and the overlay's control port, as the"
                + " agent's settings name them. Disabled: this traffic is limited like any"
                + " other, which can cut the node off.")
        @Default("Enabled")
        @Nullable Failsafe failsafe,
    @JsonPropertyDescription("Which packets share a bucket, and how many buckets there may be.")
        @Default("{}")
        @Nullable Bucket bucket,
    @JsonPropertyDescription(
            "What a bucket regains per second; or, by packets, bits or connections, per the period"
                + " that per names; or a percentage of the link's speed. Exactly one of these; whole quantities such as 1000, 10k, 2M. The"
                + " status shows 60 per minute as 1 per second: the shortest period for which a rate"
                + " is a whole number.")
        @Required
        Rate rate,
    @JsonPropertyDescription(
            "What a full bucket holds, in the rate's unit. Absent: what the rate grants in 100 ms,"
                + " at least 10 packets, 15140 bytes or 10 connections. A rate per Minute or Hour that"
                + " grants less than that in its period has what the period grants, and at least one"
                + " packet, 1514 bytes or one connection.")
        @Nullable Burst burst,
    @JsonPropertyDescription("What happens to packets that exceed.") @Default("{}")
        @Nullable Exceed exceed,
    @JsonPropertyDescription(
            "Enforce acts on packets that exceed; Audit touches none and counts what it would have"
                + " done.")
        @Default("Enforce")
        @Nullable Mode mode,
    @JsonPropertyDescription("How a change of this policy is rolled out to the nodes.")
        @Default("{}")
        @Nullable Rollout rollout,
    @JsonPropertyDescription(
            "When the policy ends by itself, as an RFC 3339 time such as"
                + " 2026-12-01T18:00:00Z. From then on, by the operator's clock, no node"
                + " enforces the policy; the object stays, with reason Expired, until it is"
                + " deleted or gets a later time. Absent: the policy does not end.")
        @Size(max = 40)
        @ValidationRule(value = Expiry.RULE, message = Expiry.MESSAGE)
        @Nullable String expiresAt) {}

package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.crdv2.generator.v1.SchemaCustomizer;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.IntOrString;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Packets that have everything that is set here; at least one field is. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@SchemaCustomizer(MatchTermSchema.class)
@ValidationRule(
    value = MatchRules.NOT_EMPTY,
    message =
        "at least one of protocol, sourceCIDRs, destinationCIDRs, sourcePorts, destinationPorts"
            + " must be set, or newConnectionsOnly be true")
@ValidationRule(
    value = MatchRules.NEW_CONNECTIONS_ARE_TCP,
    fieldPath = ".newConnectionsOnly",
    reason = "FieldValueForbidden",
    message = "newConnectionsOnly goes with protocol TCP, or with none")
@ValidationRule(
    value = MatchRules.PORTS_HAVE_A_PROTOCOL,
    message = "sourcePorts and destinationPorts go with protocol TCP, UDP or SCTP, or with none")
@ValidationRule(
    value = MatchRules.ONE_FAMILY,
    message =
        "a packet's addresses are both IPv4 or both IPv6: sourceCIDRs and destinationCIDRs have no"
            + " family in common, so this term matches nothing")
public record MatchTerm(
    @JsonPropertyDescription(
            "The IP protocol: TCP, UDP, SCTP, ICMP, ICMPv6, or a number from 0 to 255. Of IPv6 it is"
                + " the protocol behind the extension headers. Absent: any; with ports TCP, UDP and"
                + " SCTP; with newConnectionsOnly TCP.")
        @ValidationRule(
            value = "string(self).matches('" + MatchRules.PROTOCOL + "')",
            message = "must be TCP, UDP, SCTP, ICMP, ICMPv6 or a number from 0 to 255")
        @Nullable IntOrString protocol,
    @JsonPropertyDescription(
            "The source address is in one of these IPv4 or IPv6 networks, such as 192.0.2.0/24 or"
                + " 2001:db8::/32; bits behind the prefix length are 0. An IPv4 network never"
                + " matches an IPv6 packet, nor the other way round.")
        @Size(min = 1, max = 256)
        @Nullable List<String> sourceCIDRs,
    @JsonPropertyDescription(
            "The destination address is in one of these networks; written as sourceCIDRs.")
        @Size(min = 1, max = 256)
        @Nullable List<String> destinationCIDRs,
    @JsonPropertyDescription(
            "The source port is one of these: ports from 1 to 65535, such as 443, or ranges of them,"
                + " such as \"8000-8999\". Goes with protocol TCP, UDP, SCTP or none. A packet whose"
                + " ports can't be known, such as a later fragment, has these ports in match and"
                + " has them not in exempt.")
        @Size(min = 1, max = 64)
        @Nullable List<IntOrString> sourcePorts,
    @JsonPropertyDescription(
            "The destination port is one of these; written and judged as sourcePorts.")
        @Size(min = 1, max = 64)
        @Nullable List<IntOrString> destinationPorts,
    @JsonPropertyDescription(
            "true: only packets that open a TCP connection, which have SYN and not ACK; a repeated"
                + " SYN is one more. Goes with protocol TCP or none.")
        @Nullable Boolean newConnectionsOnly) {}

package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.crdv2.generator.v1.SchemaCustomizer;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.IntOrString;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A condition on packets, which must fulfil every field set here; at least one field is set. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@SchemaCustomizer(MatchTermSchema.class)
@ValidationRule(
    value = MatchRules.NOT_EMPTY,
    message =
        "at least one of protocol, sourceCIDRs, destinationCIDRs, sourcePorts, destinationPorts"
            + " must be set, or newConnectionsOnly be true, or one of notSourceCIDRs,"
            + " notDestinationCIDRs, notSourcePorts, notDestinationPorts, tcpFlags, icmp, dscps,"
            + " packetLengths, fragment be set")
@ValidationRule(
    value = MatchRules.NEW_CONNECTIONS_ARE_TCP,
    fieldPath = ".newConnectionsOnly",
    reason = "FieldValueForbidden",
    message = "newConnectionsOnly goes with protocol TCP, or with none")
@ValidationRule(
    value = MatchRules.PORTS_HAVE_A_PROTOCOL,
    message = "sourcePorts and destinationPorts go with protocol TCP, UDP or SCTP, or with none")
@ValidationRule(
    value = MatchRules.NO_PORTS_HAVE_A_PROTOCOL,
    message =
        "notSourcePorts and notDestinationPorts go with protocol TCP, UDP or SCTP, or with none")
@ValidationRule(
    value = MatchRules.ONE_SET_OF_SOURCE_PORTS,
    fieldPath = ".notSourcePorts",
    reason = "FieldValueForbidden",
    message = "notSourcePorts goes without sourcePorts: leave them out there")
@ValidationRule(
    value = MatchRules.ONE_SET_OF_DESTINATION_PORTS,
    fieldPath = ".notDestinationPorts",
    reason = "FieldValueForbidden",
    message = "notDestinationPorts goes without destinationPorts: leave them out there")
@ValidationRule(
    value = MatchRules.ONE_FAMILY,
    message =
        "a packet's addresses are both IPv4 or both IPv6: sourceCIDRs and destinationCIDRs have no"
            + " family in common, so this term matches nothing")
@ValidationRule(
    value = MatchRules.SOURCES_ARE_LEFT,
    message = "each of sourceCIDRs is in notSourceCIDRs, too, so this term matches nothing")
@ValidationRule(
    value = MatchRules.DESTINATIONS_ARE_LEFT,
    message =
        "each of destinationCIDRs is in notDestinationCIDRs, too, so this term matches nothing")
@ValidationRule(
    value = MatchRules.FLAGS_ARE_TCP,
    fieldPath = ".tcpFlags",
    reason = "FieldValueForbidden",
    message = "tcpFlags goes with protocol TCP, or with none")
@ValidationRule(
    value = MatchRules.FLAGS_OR_NEW_CONNECTIONS,
    fieldPath = ".tcpFlags",
    reason = "FieldValueForbidden",
    message =
        "tcpFlags goes without newConnectionsOnly, which stands for SYN in set and ACK in unset")
@ValidationRule(
    value = MatchRules.ICMP_HAS_A_PROTOCOL,
    fieldPath = ".icmp",
    reason = "FieldValueForbidden",
    message = "icmp goes with protocol ICMP or ICMPv6, whose types have different numbers")
@ValidationRule(
    value = MatchRules.LATER_FRAGMENTS_HAVE_NO_FLAGS,
    fieldPath = ".fragment",
    reason = "FieldValueForbidden",
    message =
        "fragment Later goes without tcpFlags and newConnectionsOnly: later fragments have no flags,"
            + " so this term matches nothing")
public record MatchTerm(
    @JsonPropertyDescription(
            "The IP protocol: TCP, UDP, SCTP, ICMP, ICMPv6, or a number from 0 to 255. Of IPv6 it is"
                + " the protocol behind the extension headers. Absent: any; with ports TCP, UDP and"
                + " SCTP; with newConnectionsOnly and tcpFlags TCP.")
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
        @Nullable Boolean newConnectionsOnly,
    @JsonPropertyDescription(
            "The source address is in none of these networks; written as sourceCIDRs. With"
                + " sourceCIDRs it takes away from those. An IPv6 packet is in no IPv4 network, nor"
                + " the other way round.")
        @Size(min = 1, max = 64)
        @Nullable List<String> notSourceCIDRs,
    @JsonPropertyDescription(
            "The destination address is in none of these networks; judged as notSourceCIDRs.")
        @Size(min = 1, max = 64)
        @Nullable List<String> notDestinationCIDRs,
    @JsonPropertyDescription(
            "The packet has a source port, and it is none of these; written and judged as"
                + " sourcePorts, and instead of them.")
        @Size(min = 1, max = 64)
        @Nullable List<IntOrString> notSourcePorts,
    @JsonPropertyDescription(
            "The packet has a destination port, and it is none of these; written and judged as"
                + " sourcePorts, and instead of destinationPorts.")
        @Size(min = 1, max = 64)
        @Nullable List<IntOrString> notDestinationPorts,
    @JsonPropertyDescription(
            "Flags of a TCP packet. Goes with protocol TCP or none. Holds for no later fragment, but"
                + " for one that could replace the flags of the first.")
        @Nullable TcpFlags tcpFlags,
    @JsonPropertyDescription(
            "Type and code of an ICMP or ICMPv6 message. Goes with protocol ICMP or ICMPv6. A later"
                + " fragment is judged as its first one; where that is not known it has this type in"
                + " match and has it not in exempt.")
        @Nullable Icmp icmp,
    @JsonPropertyDescription(
            "The packet's DSCP (differentiated services code point) is one of these, from 0 to 63,"
                + " as it comes to the interface: what policies before this one set is not looked"
                + " at.")
        @Size(min = 1, max = 64)
        @Nullable List<Integer> dscps,
    @JsonPropertyDescription(
            "The length of the IP packet, header included, by that header, is one of these: bytes"
                + " from 20 to 65535, such as 40, or ranges of them, such as \"40-100\"; 65535"
                + " stands for all above, too. A merged packet has the length of its full segments.")
        @Size(min = 1, max = 64)
        @Nullable List<IntOrString> packetLengths,
    @JsonPropertyDescription(
            "Which part of a fragmented datagram the packet is. Any: a fragment. First: the one with"
                + " the ports. Later: any other. None: a whole datagram.")
        @Nullable Fragment fragment) {
  /** A term with only the most common fields. */
  public MatchTerm(
      @Nullable IntOrString protocol,
      @Nullable List<String> sourceCIDRs,
      @Nullable List<String> destinationCIDRs,
      @Nullable List<IntOrString> sourcePorts,
      @Nullable List<IntOrString> destinationPorts,
      @Nullable Boolean newConnectionsOnly) {
    this(
        protocol,
        sourceCIDRs,
        destinationCIDRs,
        sourcePorts,
        destinationPorts,
        newConnectionsOnly,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null);
  }
}

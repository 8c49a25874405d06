// SPDX-License-Identifier: Apache-2.0
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
            + " notDestinationCIDRs, notSourcePorts, notDestinationPorts, sourceAddressSets,"
            + " destinationAddressSets, tcpFlags, icmp, dscps, packetLengths, fragment be set")
@ValidationRule(
    value = MatchRules.NEW_CONNECTIONS_ARE_TCP,
    fieldPath = ".newConnectionsOnly",
    reason = "FieldValueForbidden",
    message = "newConnectionsOnly requires protocol TCP or no protocol")
@ValidationRule(
    value = MatchRules.PORTS_HAVE_A_PROTOCOL,
    message =
        "sourcePorts and destinationPorts require protocol TCP, UDP or SCTP, or no" + " protocol")
@ValidationRule(
    value = MatchRules.NO_PORTS_HAVE_A_PROTOCOL,
    message =
        "notSourcePorts and notDestinationPorts require protocol TCP, UDP or SCTP, or"
            + " no protocol")
@ValidationRule(
    value = MatchRules.ONE_SET_OF_SOURCE_PORTS,
    fieldPath = ".notSourcePorts",
    reason = "FieldValueForbidden",
    message =
        "notSourcePorts is not allowed with sourcePorts: leave the unwanted ports out"
            + " of sourcePorts")
@ValidationRule(
    value = MatchRules.ONE_SET_OF_DESTINATION_PORTS,
    fieldPath = ".notDestinationPorts",
    reason = "FieldValueForbidden",
    message =
        "notDestinationPorts is not allowed with destinationPorts: leave the unwanted"
            + " ports out of destinationPorts")
@ValidationRule(
    value = MatchRules.ONE_FAMILY,
    message =
        "a packet's addresses are both IPv4 or both IPv6: sourceCIDRs and destinationCIDRs have no"
            + " family in common, so this term matches nothing")
@ValidationRule(
    value = MatchRules.SOURCES_ARE_LEFT,
    message =
        "every network of sourceCIDRs is also in notSourceCIDRs, so this term matches" + " nothing")
@ValidationRule(
    value = MatchRules.DESTINATIONS_ARE_LEFT,
    message =
        "every network of destinationCIDRs is also in notDestinationCIDRs, so this"
            + " term matches nothing")
@ValidationRule(
    value = MatchRules.FLAGS_ARE_TCP,
    fieldPath = ".tcpFlags",
    reason = "FieldValueForbidden",
    message = "tcpFlags requires protocol TCP or no protocol")
@ValidationRule(
    value = MatchRules.FLAGS_OR_NEW_CONNECTIONS,
    fieldPath = ".tcpFlags",
    reason = "FieldValueForbidden",
    message =
        "tcpFlags is not allowed with newConnectionsOnly, which stands for SYN in set"
            + " and ACK in unset")
@ValidationRule(
    value = MatchRules.ICMP_HAS_A_PROTOCOL,
    fieldPath = ".icmp",
    reason = "FieldValueForbidden",
    message =
        "icmp requires protocol ICMP or ICMPv6, because their types have different" + " numbers")
@ValidationRule(
    value = MatchRules.LATER_FRAGMENTS_HAVE_NO_FLAGS,
    fieldPath = ".fragment",
    reason = "FieldValueForbidden",
    message =
        "fragment Later is not allowed with tcpFlags or newConnectionsOnly: later"
            + " fragments have no flags, so this term matches nothing")
public record MatchTerm(
    @JsonPropertyDescription(
            "The IP protocol: TCP, UDP, SCTP, ICMP, ICMPv6, or a number from 0 to 255. In"
                + " IPv6, the protocol after the extension headers. Absent: any protocol; with"
                + " ports, TCP, UDP and SCTP; with newConnectionsOnly or tcpFlags, TCP.")
        @ValidationRule(
            value = "string(self).matches('" + MatchRules.PROTOCOL + "')",
            message = "must be TCP, UDP, SCTP, ICMP, ICMPv6 or a number from 0 to 255")
        @Nullable IntOrString protocol,
    @JsonPropertyDescription(
            "The source address is in one of these IPv4 or IPv6 networks, such as"
                + " 192.0.2.0/24 or 2001:db8::/32; bits after the prefix length are 0. An IPv4"
                + " network never matches an IPv6 packet, nor the other way round.")
        @Size(min = 1, max = 256)
        @Nullable List<String> sourceCIDRs,
    @JsonPropertyDescription(
            "The destination address is in one of these networks; the format is that of"
                + " sourceCIDRs.")
        @Size(min = 1, max = 256)
        @Nullable List<String> destinationCIDRs,
    @JsonPropertyDescription(
            "The source port is one of these: ports from 1 to 65535, such as 443, or"
                + " ranges, such as \"8000-8999\". Requires protocol TCP, UDP or SCTP, or no"
                + " protocol. A packet whose ports can't be known, such as a later fragment,"
                + " fulfils this field in match and does not fulfil it in exempt.")
        @Size(min = 1, max = 64)
        @Nullable List<IntOrString> sourcePorts,
    @JsonPropertyDescription(
            "The destination port is one of these; format and rules are those of" + " sourcePorts.")
        @Size(min = 1, max = 64)
        @Nullable List<IntOrString> destinationPorts,
    @JsonPropertyDescription(
            "true: only packets that open a TCP connection, which have SYN and not ACK; a"
                + " repeated SYN counts again. Requires protocol TCP or no protocol.")
        @Nullable Boolean newConnectionsOnly,
    @JsonPropertyDescription(
            "The source address is in none of these networks; the format is that of"
                + " sourceCIDRs. If both are set, these networks are exceptions from"
                + " sourceCIDRs. An IPv6 packet is in no IPv4 network, nor the other way round.")
        @Size(min = 1, max = 64)
        @Nullable List<String> notSourceCIDRs,
    @JsonPropertyDescription(
            "The destination address is in none of these networks; the rules are those of"
                + " notSourceCIDRs.")
        @Size(min = 1, max = 64)
        @Nullable List<String> notDestinationCIDRs,
    @JsonPropertyDescription(
            "The packet has a source port, and that port is none of these; format and"
                + " rules are those of sourcePorts. Not allowed with sourcePorts.")
        @Size(min = 1, max = 64)
        @Nullable List<IntOrString> notSourcePorts,
    @JsonPropertyDescription(
            "The packet has a destination port, and that port is none of these; format and"
                + " rules are those of sourcePorts. Not allowed with destinationPorts.")
        @Size(min = 1, max = 64)
        @Nullable List<IntOrString> notDestinationPorts,
    @JsonPropertyDescription(
            "The packet's TCP flags. Requires protocol TCP or no protocol. A later"
                + " fragment does not fulfil this field, unless it could overwrite the flags of"
                + " the first fragment.")
        @Nullable TcpFlags tcpFlags,
    @JsonPropertyDescription(
            "Type and code of an ICMP or ICMPv6 message. Requires protocol ICMP or ICMPv6."
                + " A later fragment is judged like its first fragment; if the first one is not"
                + " known, the later one fulfils this field in match and does not fulfil it in"
                + " exempt.")
        @Nullable Icmp icmp,
    @JsonPropertyDescription(
            "The packet's DSCP (differentiated services code point) is one of these, from"
                + " 0 to 63, as the packet reaches the interface; a DSCP that an earlier policy"
                + " set does not count.")
        @Size(min = 1, max = 64)
        @Nullable List<Integer> dscps,
    @JsonPropertyDescription(
            "The length of the IP packet, as its header gives it and with that header"
                + " included, is one of these: bytes from 20 to 65535, such as 40, or ranges,"
                + " such as \"40-100\"; 65535 also stands for all longer packets. A merged"
                + " packet has the length of its full segments.")
        @Size(min = 1, max = 64)
        @Nullable List<IntOrString> packetLengths,
    @JsonPropertyDescription(
            "Which part of a fragmented datagram the packet is. Any: any fragment. First:"
                + " the fragment with the ports. Later: any other fragment. None: a whole"
                + " datagram.")
        @Nullable Fragment fragment,
    @JsonPropertyDescription(
            "The source address is in one of these TokenBucketAddressSets, by name, or in one of"
                + " sourceCIDRs. A set may change without a change of the policy; each change is"
                + " rolled out as the policy's rollout says. An empty set contains no address."
                + " While a set does not exist, nodes keep what they have of the policy.")
        @Size(min = 1, max = 8)
        @Nullable List<String> sourceAddressSets,
    @JsonPropertyDescription(
            "The destination address is in one of these TokenBucketAddressSets, by name, or in one"
                + " of destinationCIDRs; the rules are those of sourceAddressSets.")
        @Size(min = 1, max = 8)
        @Nullable List<String> destinationAddressSets) {
  /** A term without address sets. */
  public MatchTerm(
      @Nullable IntOrString protocol,
      @Nullable List<String> sourceCIDRs,
      @Nullable List<String> destinationCIDRs,
      @Nullable List<IntOrString> sourcePorts,
      @Nullable List<IntOrString> destinationPorts,
      @Nullable Boolean newConnectionsOnly,
      @Nullable List<String> notSourceCIDRs,
      @Nullable List<String> notDestinationCIDRs,
      @Nullable List<IntOrString> notSourcePorts,
      @Nullable List<IntOrString> notDestinationPorts,
      @Nullable TcpFlags tcpFlags,
      @Nullable Icmp icmp,
      @Nullable List<Integer> dscps,
      @Nullable List<IntOrString> packetLengths,
      @Nullable Fragment fragment) {
    this(
        protocol,
        sourceCIDRs,
        destinationCIDRs,
        sourcePorts,
        destinationPorts,
        newConnectionsOnly,
        notSourceCIDRs,
        notDestinationCIDRs,
        notSourcePorts,
        notDestinationPorts,
        tcpFlags,
        icmp,
        dscps,
        packetLengths,
        fragment,
        null,
        null);
  }

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

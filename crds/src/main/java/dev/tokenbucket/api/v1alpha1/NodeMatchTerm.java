// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A match term as a node should run it. An empty list sets no condition; lists are in canonical
 * order and text, so that equal intent is equal JSON.
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record NodeMatchTerm(
    @JsonPropertyDescription(
            "The IP protocol's number. Absent: any protocol; with ports, TCP, UDP and SCTP.")
        @Nullable Integer protocol,
    @JsonPropertyDescription("Networks of the source address.") @Size(max = 256)
        List<String> sourceCIDRs,
    @JsonPropertyDescription("Networks of the destination address.") @Size(max = 256)
        List<String> destinationCIDRs,
    @JsonPropertyDescription("Source ports, as ranges that do not overlap.") @Size(max = 65)
        List<PortRange> sourcePorts,
    @JsonPropertyDescription("Destination ports, as ranges that do not overlap.") @Size(max = 65)
        List<PortRange> destinationPorts,
    @JsonPropertyDescription("Only TCP packets with SYN and without ACK.")
        @JsonInclude(JsonInclude.Include.NON_DEFAULT)
        boolean newConnectionsOnly,
    @JsonPropertyDescription("Networks that do not contain the source address.") @Size(max = 64)
        List<String> notSourceCIDRs,
    @JsonPropertyDescription("Networks that do not contain the destination address.")
        @Size(max = 64)
        List<String> notDestinationCIDRs,
    @JsonPropertyDescription("TCP flags. Absent: any flags.") @Nullable TcpFlags tcpFlags,
    @JsonPropertyDescription("Type and code of ICMP or ICMPv6. Absent: any message.")
        @Nullable Icmp icmp,
    @JsonPropertyDescription("DSCPs.") @Size(max = 64) List<Integer> dscps,
    @JsonPropertyDescription("Lengths of IP packets, as ranges that do not overlap.")
        @Size(max = 64)
        List<LengthRange> packetLengths,
    @JsonPropertyDescription(
            "Which part of a fragmented datagram the packet is. Absent: any part, or a"
                + " whole datagram.")
        @Nullable Fragment fragment,
    @JsonPropertyDescription(
            "Address sets; the source address is in one of them, or in sourceCIDRs.")
        @Size(max = 8)
        List<AddressSetRef> sourceAddressSets,
    @JsonPropertyDescription(
            "Address sets; the destination address is in one of them, or in destinationCIDRs.")
        @Size(max = 8)
        List<AddressSetRef> destinationAddressSets) {
  /** An arbitrary but fixed order. */
  static final Comparator<NodeMatchTerm> CANONICAL =
      Comparator.comparing(
              NodeMatchTerm::protocol, Comparator.nullsFirst(Comparator.naturalOrder()))
          .thenComparing(NodeMatchTerm::newConnectionsOnly)
          .thenComparing(term -> term.sourceCIDRs().toString())
          .thenComparing(term -> term.destinationCIDRs().toString())
          .thenComparing(term -> term.sourcePorts().toString())
          .thenComparing(term -> term.destinationPorts().toString())
          .thenComparing(term -> term.notSourceCIDRs().toString())
          .thenComparing(term -> term.notDestinationCIDRs().toString())
          .thenComparing(term -> String.valueOf(term.tcpFlags()))
          .thenComparing(term -> String.valueOf(term.icmp()))
          .thenComparing(term -> term.dscps().toString())
          .thenComparing(term -> term.packetLengths().toString())
          .thenComparing(term -> String.valueOf(term.fragment()))
          .thenComparing(term -> term.sourceAddressSets().toString())
          .thenComparing(term -> term.destinationAddressSets().toString());

  /** Sets lists that JSON omits to empty. */
  public NodeMatchTerm {
    sourceCIDRs = NodePolicy.orEmpty(sourceCIDRs);
    destinationCIDRs = NodePolicy.orEmpty(destinationCIDRs);
    sourcePorts = NodePolicy.orEmpty(sourcePorts);
    destinationPorts = NodePolicy.orEmpty(destinationPorts);
    notSourceCIDRs = NodePolicy.orEmpty(notSourceCIDRs);
    notDestinationCIDRs = NodePolicy.orEmpty(notDestinationCIDRs);
    dscps = NodePolicy.orEmpty(dscps);
    packetLengths = NodePolicy.orEmpty(packetLengths);
    sourceAddressSets = NodePolicy.orEmpty(sourceAddressSets);
    destinationAddressSets = NodePolicy.orEmpty(destinationAddressSets);
  }

  /** A term without address sets. */
  public NodeMatchTerm(
      @Nullable Integer protocol,
      List<String> sourceCIDRs,
      List<String> destinationCIDRs,
      List<PortRange> sourcePorts,
      List<PortRange> destinationPorts,
      boolean newConnectionsOnly,
      List<String> notSourceCIDRs,
      List<String> notDestinationCIDRs,
      @Nullable TcpFlags tcpFlags,
      @Nullable Icmp icmp,
      List<Integer> dscps,
      List<LengthRange> packetLengths,
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
        tcpFlags,
        icmp,
        dscps,
        packetLengths,
        fragment,
        List.of(),
        List.of());
  }

  /** A term with only the most common fields. */
  public NodeMatchTerm(
      @Nullable Integer protocol,
      List<String> sourceCIDRs,
      List<String> destinationCIDRs,
      List<PortRange> sourcePorts,
      List<PortRange> destinationPorts,
      boolean newConnectionsOnly) {
    this(
        protocol,
        sourceCIDRs,
        destinationCIDRs,
        sourcePorts,
        destinationPorts,
        newConnectionsOnly,
        List.of(),
        List.of(),
        null,
        null,
        List.of(),
        List.of(),
        null);
  }

  /** This term, restricted to packets that open a TCP connection. */
  NodeMatchTerm ofNewConnections(int tcp) {
    return new NodeMatchTerm(
        tcp,
        sourceCIDRs,
        destinationCIDRs,
        sourcePorts,
        destinationPorts,
        true,
        notSourceCIDRs,
        notDestinationCIDRs,
        tcpFlags,
        icmp,
        dscps,
        packetLengths,
        fragment,
        sourceAddressSets,
        destinationAddressSets);
  }

  /** This term with other addresses. */
  NodeMatchTerm withAddresses(
      List<String> source,
      List<String> notSource,
      List<AddressSetRef> sourceSets,
      List<String> destination,
      List<String> notDestination,
      List<AddressSetRef> destinationSets) {
    return new NodeMatchTerm(
        protocol,
        source,
        destination,
        sourcePorts,
        destinationPorts,
        newConnectionsOnly,
        notSource,
        notDestination,
        tcpFlags,
        icmp,
        dscps,
        packetLengths,
        fragment,
        sourceSets,
        destinationSets);
  }
}

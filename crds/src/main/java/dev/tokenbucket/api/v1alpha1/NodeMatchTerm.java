package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A match term as a node is to run it. An empty list sets no condition; lists are in canonical
 * order and text, so that equal intent is equal JSON.
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record NodeMatchTerm(
    @JsonPropertyDescription("The IP protocol's number; absent: any, with ports TCP, UDP and SCTP.")
        @Nullable Integer protocol,
    @JsonPropertyDescription("Networks of the source address.") @Size(max = 256)
        List<String> sourceCIDRs,
    @JsonPropertyDescription("Networks of the destination address.") @Size(max = 256)
        List<String> destinationCIDRs,
    @JsonPropertyDescription("Source ports; the ranges are apart from each other.") @Size(max = 64)
        List<PortRange> sourcePorts,
    @JsonPropertyDescription("Destination ports; the ranges are apart from each other.")
        @Size(max = 64)
        List<PortRange> destinationPorts,
    @JsonPropertyDescription("Only TCP packets with SYN and without ACK.")
        @JsonInclude(JsonInclude.Include.NON_DEFAULT)
        boolean newConnectionsOnly) {
  /** Any order will do, as long as it is the same each time. */
  static final Comparator<NodeMatchTerm> CANONICAL =
      Comparator.comparing(
              NodeMatchTerm::protocol, Comparator.nullsFirst(Comparator.naturalOrder()))
          .thenComparing(NodeMatchTerm::newConnectionsOnly)
          .thenComparing(term -> term.sourceCIDRs().toString())
          .thenComparing(term -> term.destinationCIDRs().toString())
          .thenComparing(term -> term.sourcePorts().toString())
          .thenComparing(term -> term.destinationPorts().toString());

  /** Lists that JSON leaves out are empty. */
  public NodeMatchTerm {
    sourceCIDRs = NodePolicy.orEmpty(sourceCIDRs);
    destinationCIDRs = NodePolicy.orEmpty(destinationCIDRs);
    sourcePorts = NodePolicy.orEmpty(sourcePorts);
    destinationPorts = NodePolicy.orEmpty(destinationPorts);
  }
}

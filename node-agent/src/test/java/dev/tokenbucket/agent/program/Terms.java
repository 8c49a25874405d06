package dev.tokenbucket.agent.program;

import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.PortRange;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Match terms by what they ask for. */
public final class Terms {
  static final int TCP = 6;
  static final int UDP = 17;

  private Terms() {}

  static NodeMatchTerm protocol(int protocol) {
    return term(protocol, List.of(), List.of(), List.of(), List.of(), false);
  }

  static NodeMatchTerm from(String... cidrs) {
    return term(null, List.of(cidrs), List.of(), List.of(), List.of(), false);
  }

  public static NodeMatchTerm to(String... cidrs) {
    return term(null, List.of(), List.of(cidrs), List.of(), List.of(), false);
  }

  static NodeMatchTerm fromPorts(@Nullable Integer protocol, PortRange... ports) {
    return term(protocol, List.of(), List.of(), List.of(ports), List.of(), false);
  }

  static NodeMatchTerm toPorts(@Nullable Integer protocol, PortRange... ports) {
    return term(protocol, List.of(), List.of(), List.of(), List.of(ports), false);
  }

  static NodeMatchTerm newConnections() {
    return term(TCP, List.of(), List.of(), List.of(), List.of(), true);
  }

  /** Asks for each field that a term can ask for. */
  static NodeMatchTerm everyField() {
    return term(
        TCP,
        List.of("10.0.0.0/8", "fd00::/16"),
        List.of("10.0.0.0/8", "fd00::/16"),
        List.of(new PortRange(1024, 65535)),
        List.of(new PortRange(80, 80), new PortRange(443, 443)),
        true);
  }

  static NodeMatchTerm term(
      @Nullable Integer protocol,
      List<String> sources,
      List<String> destinations,
      List<PortRange> sourcePorts,
      List<PortRange> destinationPorts,
      boolean newConnectionsOnly) {
    return new NodeMatchTerm(
        protocol, sources, destinations, sourcePorts, destinationPorts, newConnectionsOnly);
  }
}

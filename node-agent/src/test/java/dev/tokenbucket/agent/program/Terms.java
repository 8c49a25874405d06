// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import dev.tokenbucket.api.v1alpha1.Fragment;
import dev.tokenbucket.api.v1alpha1.Icmp;
import dev.tokenbucket.api.v1alpha1.LengthRange;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.PortRange;
import dev.tokenbucket.api.v1alpha1.TcpFlag;
import dev.tokenbucket.api.v1alpha1.TcpFlags;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Match terms by what they ask for. */
public final class Terms {
  static final int TCP = 6;
  static final int UDP = 17;
  static final int ICMP = 1;
  static final int ICMPV6 = 58;

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

  /** Asks for each field that a term of TCP can ask for. */
  static NodeMatchTerm everyField() {
    return new NodeMatchTerm(
        TCP,
        List.of("10.0.0.0/8", "fd00::/16"),
        List.of("10.0.0.0/8", "fd00::/16"),
        List.of(new PortRange(1024, 65535)),
        List.of(new PortRange(80, 80), new PortRange(443, 443)),
        true,
        List.of("10.9.0.0/16"),
        List.of("fd00:9::/32"),
        new TcpFlags(List.of(TcpFlag.SYN), List.of(TcpFlag.ACK)),
        null,
        List.of(0, 46),
        List.of(new LengthRange(40, 1500)),
        Fragment.None);
  }

  static NodeMatchTerm notFrom(List<String> in, String... notIn) {
    return header(null, in, List.of(notIn), null, null, List.of(), List.of(), null);
  }

  static NodeMatchTerm tcpFlags(List<TcpFlag> set, List<TcpFlag> unset) {
    TcpFlags flags = new TcpFlags(set, unset);
    return header(TCP, List.of(), List.of(), flags, null, List.of(), List.of(), null);
  }

  static NodeMatchTerm icmp(int protocol, int type, @Nullable Integer code) {
    Icmp icmp = new Icmp(type, code);
    return header(protocol, List.of(), List.of(), null, icmp, List.of(), List.of(), null);
  }

  static NodeMatchTerm dscps(Integer... dscps) {
    return header(null, List.of(), List.of(), null, null, List.of(dscps), List.of(), null);
  }

  static NodeMatchTerm lengths(LengthRange... lengths) {
    return header(null, List.of(), List.of(), null, null, List.of(), List.of(lengths), null);
  }

  static NodeMatchTerm fragment(@Nullable Integer protocol, Fragment fragment) {
    return header(protocol, List.of(), List.of(), null, null, List.of(), List.of(), fragment);
  }

  private static NodeMatchTerm header(
      @Nullable Integer protocol,
      List<String> sources,
      List<String> notSources,
      @Nullable TcpFlags flags,
      @Nullable Icmp icmp,
      List<Integer> dscps,
      List<LengthRange> lengths,
      @Nullable Fragment fragment) {
    return new NodeMatchTerm(
        protocol,
        sources,
        List.of(),
        List.of(),
        List.of(),
        false,
        notSources,
        List.of(),
        flags,
        icmp,
        dscps,
        lengths,
        fragment);
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

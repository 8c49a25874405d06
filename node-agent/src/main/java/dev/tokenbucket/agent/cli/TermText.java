// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.api.Texts;
import dev.tokenbucket.api.v1alpha1.AddressSetRef;
import dev.tokenbucket.api.v1alpha1.Icmp;
import dev.tokenbucket.api.v1alpha1.IpProtocol;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.TcpFlags;
import java.util.ArrayList;
import java.util.List;

/** A match term for a terminal, condition by condition. Pure. */
final class TermText {
  /** The most values of a condition that are shown: an address set has up to 10,000. */
  private static final int MOST = 16;

  private final List<String> conditions = new ArrayList<>();

  private TermText() {}

  /** The conditions of a term; "anything" if there is none. */
  static String of(NodeMatchTerm term) {
    TermText text = new TermText();
    text.addTransport(term);
    text.addAddresses(term);
    text.addHeader(term);
    return text.conditions.isEmpty() ? "anything" : String.join("; ", text.conditions);
  }

  private void addTransport(NodeMatchTerm term) {
    Integer protocol = term.protocol();
    if (protocol != null) {
      conditions.add("protocol " + IpProtocol.name(protocol).replace("protocol ", ""));
    }
    add("source port", term.sourcePorts());
    add("destination port", term.destinationPorts());
    if (term.newConnectionsOnly()) {
      conditions.add("new connections only");
    }
    TcpFlags flags = term.tcpFlags();
    if (flags != null) {
      add("TCP flags set", flags.allSet());
      add("TCP flags not set", flags.allUnset());
    }
    Icmp icmp = term.icmp();
    if (icmp != null) {
      conditions.add(
          "ICMP type " + icmp.type() + (icmp.code() == null ? "" : " code " + icmp.code()));
    }
  }

  private void addAddresses(NodeMatchTerm term) {
    add("source", term.sourceCIDRs());
    add("source in address set", names(term.sourceAddressSets()));
    add("source not", term.notSourceCIDRs());
    add("destination", term.destinationCIDRs());
    add("destination in address set", names(term.destinationAddressSets()));
    add("destination not", term.notDestinationCIDRs());
  }

  private static List<String> names(List<AddressSetRef> sets) {
    return sets.stream().map(AddressSetRef::name).toList();
  }

  private void addHeader(NodeMatchTerm term) {
    add("DSCP", term.dscps());
    add("packet length", term.packetLengths());
    if (term.fragment() != null) {
      conditions.add("fragment " + term.fragment());
    }
  }

  private void add(String what, List<?> values) {
    if (!values.isEmpty()) {
      conditions.add(what + " " + Texts.first(MOST, values.stream().map(String::valueOf).toList()));
    }
  }
}

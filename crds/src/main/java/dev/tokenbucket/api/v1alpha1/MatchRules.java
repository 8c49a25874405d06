// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

/** The CEL rules of {@code match} and {@code exempt}, in pieces. */
final class MatchRules {
  /** A protocol by name, or by number without leading zeros; as Java and RE2 read it. */
  static final String PROTOCOL =
      "^(TCP|UDP|SCTP|ICMP|ICMPv6|0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])$";

  /**
   * True for an invalid protocol, which only the protocol's own rule reports, so that a user gets
   * one message per mistake.
   */
  private static final String NO_PROTOCOL = "!string(self.protocol).matches('" + PROTOCOL + "')";

  private static final String NO_PROTOCOL_OF_TERM =
      "!string(t.protocol).matches('" + PROTOCOL + "')";

  private static final String NEW_CONNECTIONS =
      "(has(self.newConnectionsOnly) && self.newConnectionsOnly)";

  static final String NOT_EMPTY =
      "[has(self.protocol), has(self.sourceCIDRs), has(self.destinationCIDRs),"
          + " has(self.sourcePorts), has(self.destinationPorts), has(self.notSourceCIDRs),"
          + " has(self.notDestinationCIDRs), has(self.notSourcePorts),"
          + " has(self.notDestinationPorts), has(self.sourceAddressSets),"
          + " has(self.destinationAddressSets), has(self.tcpFlags), has(self.icmp), has(self.dscps),"
          + " has(self.packetLengths), has(self.fragment), "
          + NEW_CONNECTIONS
          + "].exists(x, x)";

  static final String NEW_CONNECTIONS_ARE_TCP =
      "!"
          + NEW_CONNECTIONS
          + " || !has(self.protocol) || string(self.protocol) in ['TCP', '6'] || "
          + NO_PROTOCOL;

  static final String PORTS_HAVE_A_PROTOCOL =
      "!(has(self.sourcePorts) || has(self.destinationPorts)) || !has(self.protocol)"
          + " || string(self.protocol) in ['TCP', 'UDP', 'SCTP', '6', '17', '132'] || "
          + NO_PROTOCOL;

  static final String NO_PORTS_HAVE_A_PROTOCOL =
      "!(has(self.notSourcePorts) || has(self.notDestinationPorts)) || !has(self.protocol)"
          + " || string(self.protocol) in ['TCP', 'UDP', 'SCTP', '6', '17', '132'] || "
          + NO_PROTOCOL;

  static final String ONE_SET_OF_SOURCE_PORTS =
      "!has(self.notSourcePorts) || !has(self.sourcePorts)";

  static final String ONE_SET_OF_DESTINATION_PORTS =
      "!has(self.notDestinationPorts) || !has(self.destinationPorts)";

  static final String FLAGS_ARE_TCP =
      "!has(self.tcpFlags) || !has(self.protocol) || string(self.protocol) in ['TCP', '6'] || "
          + NO_PROTOCOL;

  static final String FLAGS_OR_NEW_CONNECTIONS = "!has(self.tcpFlags) || !" + NEW_CONNECTIONS;

  static final String ICMP_HAS_A_PROTOCOL =
      "!has(self.icmp) || has(self.protocol)"
          + " && (string(self.protocol) in ['ICMP', 'ICMPv6', '1', '58'] || "
          + NO_PROTOCOL
          + ")";

  static final String LATER_FRAGMENTS_HAVE_NO_FLAGS =
      "!has(self.fragment) || self.fragment != 'Later' || !has(self.tcpFlags) && !"
          + NEW_CONNECTIONS;

  static final String SOURCES_ARE_LEFT =
      "!has(self.sourceCIDRs) || !has(self.notSourceCIDRs) || has(self.sourceAddressSets)"
          + " || !self.sourceCIDRs.all(c, c in self.notSourceCIDRs)";

  static final String DESTINATIONS_ARE_LEFT =
      "!has(self.destinationCIDRs) || !has(self.notDestinationCIDRs)"
          + " || has(self.destinationAddressSets)"
          + " || !self.destinationCIDRs.all(c, c in self.notDestinationCIDRs)";

  static final String ONE_FAMILY =
      "!has(self.sourceCIDRs) || !has(self.destinationCIDRs)"
          + " || has(self.sourceAddressSets) || has(self.destinationAddressSets)"
          + " || self.sourceCIDRs.exists(c, c.contains(':'))"
          + " && self.destinationCIDRs.exists(c, c.contains(':'))"
          + " || self.sourceCIDRs.exists(c, !c.contains(':'))"
          + " && self.destinationCIDRs.exists(c, !c.contains(':'))";

  static final String CONNECTIONS_ARE_TCP =
      "!"
          + UnitRules.RATE_IN_CONNECTIONS
          + " || !has(self.match) || self.match.all(t,"
          + " !has(t.protocol) || string(t.protocol) in ['TCP', '6'] || "
          + NO_PROTOCOL_OF_TERM
          + ")";

  /** A packet that opens a connection has SYN and not ACK, and is no later fragment. */
  static final String CONNECTIONS_BEGIN_WITH_SYN =
      "!"
          + UnitRules.RATE_IN_CONNECTIONS
          + " || !has(self.match) || self.match.all(t,"
          + " !(has(t.tcpFlags) && (has(t.tcpFlags.set) && 'ACK' in t.tcpFlags.set"
          + " || has(t.tcpFlags.unset) && 'SYN' in t.tcpFlags.unset))"
          + " && !(has(t.fragment) && t.fragment == 'Later'))";

  static final String CIDR = "isCIDR(self) && cidr(self) == cidr(self).masked()";
  static final String CIDR_MESSAGE =
      "must be an IPv4 or IPv6 network whose bits after the prefix length are 0,"
          + " such as 192.0.2.0/24 or 2001:db8::/32";

  static final String SET_NAME = "self.matches('^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$')";
  static final String SET_NAME_MESSAGE =
      "must be the name of a TokenBucketAddressSet, such as blocklist";

  static final String PORT =
      "string(self).matches('^[0-9]{1,5}(-[0-9]{1,5})?$')"
          + " && string(self).split('-').all(p, int(p) >= 1 && int(p) <= 65535)"
          + " && (!string(self).contains('-')"
          + " || int(string(self).split('-')[0]) <= int(string(self).split('-')[1]))";
  static final String PORT_MESSAGE =
      "must be a port from 1 to 65535, or a range, low to high, such as \"8000-8999\"";

  static final String LENGTH =
      "string(self).matches('^[0-9]{1,5}(-[0-9]{1,5})?$')"
          + " && string(self).split('-').all(p, int(p) >= 20 && int(p) <= 65535)"
          + " && (!string(self).contains('-')"
          + " || int(string(self).split('-')[0]) <= int(string(self).split('-')[1]))";
  static final String LENGTH_MESSAGE =
      "must be the length of an IP packet from 20 to 65535, or a range, low to high,"
          + " such as \"40-100\"";

  static final String DSCP = "self >= 0 && self <= 63";
  static final String DSCP_MESSAGE = "must be from 0 to 63";

  private MatchRules() {}
}

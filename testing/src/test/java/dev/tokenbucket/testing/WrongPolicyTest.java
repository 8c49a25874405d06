// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Needs root, for the agent. */
@ExtendWith({RequiresRoot.class, ControlPlaneExtension.class})
class WrongPolicyTest {
  /** Wrong specs, each with a part of the refusal. */
  private static final String WRONG =
      """
      {rate: {packetsPerSecond: 10, bitsPerSecond: 1M}}
        | spec.rate: Invalid value: exactly one of packetsPerSecond, bitsPerSecond, connectionsPerSecond must be set
      {rate: {}}
        | spec.rate: Invalid value: exactly one of packetsPerSecond, bitsPerSecond, connectionsPerSecond must be set
      {}
        | spec.rate: Required value
      {rate: {percentOfLinkSpeed: 10}}
        | spec.rate.percentOfLinkSpeed: Forbidden: percentOfLinkSpeed needs bucket.per Interface: links differ in speed
      {rate: {percentOfLinkSpeed: 10}, bucket: {per: SourceIP}}
        | spec.rate.percentOfLinkSpeed: Forbidden: percentOfLinkSpeed needs bucket.per Interface: links differ in speed
      {rate: {percentOfLinkSpeed: 0}, bucket: {per: Interface}}
        | spec.rate.percentOfLinkSpeed: Invalid value: 0: must be from 1 to 100
      {rate: {percentOfLinkSpeed: 101}, bucket: {per: Interface}}
        | spec.rate.percentOfLinkSpeed: Invalid value: 101: must be from 1 to 100
      {rate: {percentOfLinkSpeed: 10%}, bucket: {per: Interface}}
        | spec.rate.percentOfLinkSpeed in body must be of type integer: "string"
      {rate: {percentOfLinkSpeed: 10, bitsPerSecond: 1M}, bucket: {per: Interface}}
        | spec.rate: Invalid value: exactly one of packetsPerSecond, bitsPerSecond, connectionsPerSecond must be set
      {rate: {percentOfLinkSpeed: 10, per: Minute}, bucket: {per: Interface}}
        | spec.rate.per: Forbidden: per goes with packets, bits or connections, not with a rate per second
      {rate: {percentOfLinkSpeed: 10}, bucket: {per: Interface}, burst: {packets: 10}}
        | spec.burst.packets: Forbidden: burst.packets goes with rate.packetsPerSecond or rate.packets
      {rate: {packetsPerSecond: 10}, burst: {bytes: 2000}}
        | spec.burst.bytes: Forbidden: burst.bytes goes with rate.bitsPerSecond or rate.bits
      {rate: {bitsPerSecond: 1M}, burst: {packets: 20}}
        | spec.burst.packets: Forbidden: burst.packets goes with rate.packetsPerSecond or rate.packets
      {rate: {packetsPerSecond: 10}, burst: {packets: 0}}
        | spec.burst.packets: Invalid value: 0: must be a whole quantity from 1 to 1Ti
      {rate: {bitsPerSecond: 1M}, burst: {bytes: 1513}}
        | spec.burst.bytes: Invalid value: 1513: must be a whole quantity from 1514
      {rate: {packetsPerSecond: 0}}
        | spec.rate.packetsPerSecond: Invalid value: 0: must be a whole quantity from 1 to 10G packets per second
      {rate: {packetsPerSecond: -5}}
        | spec.rate.packetsPerSecond: Invalid value: -5: must be a whole quantity from 1 to 10G packets per second
      {rate: {packetsPerSecond: 500m}}
        | spec.rate.packetsPerSecond: Invalid value: "500m": must be a whole quantity from 1 to 10G packets per second
      {rate: {packetsPerSecond: '1.5'}}
        | spec.rate.packetsPerSecond: Invalid value: "1.5": must be a whole quantity from 1 to 10G packets per second
      {rate: {packetsPerSecond: 1.5}}
        | spec.rate.packetsPerSecond in body must be of type integer,string: "number"
      {rate: {packetsPerSecond: 1000500m}}
        | spec.rate.packetsPerSecond: Invalid value: "1000500m": must be a whole quantity from 1 to 10G packets per second
      {rate: {packetsPerSecond: '2000.001'}}
        | spec.rate.packetsPerSecond: Invalid value: "2000.001": must be a whole quantity from 1 to 10G packets per second
      {rate: {packetsPerSecond: '1e30'}}
        | spec.rate.packetsPerSecond: Invalid value: "1e30": must be a whole quantity from 1 to 10G packets per second
      {rate: {packetsPerSecond: 11G}}
        | spec.rate.packetsPerSecond: Invalid value: "11G": must be a whole quantity from 1 to 10G packets per second
      {rate: {packetsPerSecond: abc}}
        | spec.rate.packetsPerSecond: Invalid value: "abc": must be a whole quantity from 1 to 10G packets per second
      {rate: {packetsPerSecond: true}}
        | must be of type integer,string: "boolean"
      {rate: {packetsPerSecond: []}}
        | must be of type integer,string: "array"
      {rate: {bitsPerSecond: 11T}}
        | spec.rate.bitsPerSecond: Invalid value: "11T": must be a whole quantity from 8 to 10T bits per second
      {rate: {bitsPerSecond: 7}}
        | spec.rate.bitsPerSecond: Invalid value: 7: must be a whole quantity from 8 to 10T bits per second
      {rate: {packetsPerSecond: 10}, burst: {packets: 2Ti}}
        | spec.burst.packets: Invalid value: "2Ti": must be
      {rate: {packetsPerSecond: 10}, burst: {}}
        | spec.burst: Invalid value: exactly one of packets, bytes, connections must be set
      {rate: {packetsPerSecond: 10}, burst: {packets: 5, bytes: 2000}}
        | spec.burst: Invalid value: exactly one of packets, bytes, connections must be set
      {rate: {packetsPerSecond: 10}, interfaces: [{name: ''}]}
        | spec.interfaces[0].name: Invalid value: "": spec.interfaces[0].name in body should be at least 1
      {rate: {packetsPerSecond: 10}, interfaces: []}
        | spec.interfaces: Invalid value: 0: spec.interfaces in body should have at least 1 items
      {rate: {packetsPerSecond: 10}, interfaces: [{}]}
        | spec.interfaces[0]: Invalid value: exactly one of defaultRoute, name, pattern must be set
      {rate: {packetsPerSecond: 10}, interfaces: [{name: eth0, defaultRoute: true}]}
        | spec.interfaces[0]: Invalid value: exactly one of defaultRoute, name, pattern must be set
      {rate: {packetsPerSecond: 10}, interfaces: [{defaultRoute: false}]}
        | spec.interfaces[0].defaultRoute: Invalid value: false: must be true if it is set
      {rate: {packetsPerSecond: 10}, interfaces: [{name: aninterfacenamethatistoolong}]}
        | spec.interfaces[0].name: Too long: may not be more than 15 bytes
      {rate: {packetsPerSecond: 10}, interfaces: [{name: a/b}]}
        | spec.interfaces[0].name: Invalid value: "a/b": must be an interface name
      {rate: {packetsPerSecond: 10}, interfaces: [{name: eth0, pattern: 'eth*'}]}
        | spec.interfaces[0]: Invalid value: exactly one of defaultRoute, name, pattern must be set
      {rate: {packetsPerSecond: 10}, interfaces: [{name: eth0, exclude: ['eth*']}]}
        | spec.interfaces[0]: Invalid value: exclude is allowed only with pattern
      {rate: {packetsPerSecond: 10}, interfaces: [{pattern: 'a/*'}]}
        | spec.interfaces[0].pattern: Invalid value: "a/*": must be an interface name, with the wildcards * and ?
      {rate: {packetsPerSecond: 10}, interfaces: [{pattern: ''}]}
        | spec.interfaces[0].pattern: Invalid value: "": spec.interfaces[0].pattern in body should be at least 1
      {rate: {packetsPerSecond: 10}, interfaces: [{pattern: 'eth*', exclude: ['eth1', 'a/*']}]}
        | spec.interfaces[0].exclude: Invalid value: must be interface names, with the wildcards * and ?: no slash
      {rate: {packetsPerSecond: 10}, interfaces: eth0}
        | spec.interfaces in body must be of type array: "string"
      {rate: {packetsPerSecond: 10}, direction: Up}
        | spec.direction: Unsupported value: "Up": supported values: "Egress", "Ingress"
      {rate: {packetsPerSecond: 10}, direction: 5}
        | spec.direction in body must be of type string: "integer"
      {rate: {packetsPerSecond: 10}, expiresAt: tomorrow}
        | spec.expiresAt: Invalid value: "tomorrow": must be an RFC 3339 time such as 2026-12-01T18:00:00Z
      {rate: {packetsPerSecond: 10}, expiresAt: '2026-12-01 18:00:00Z'}
        | spec.expiresAt: Invalid value: "2026-12-01 18:00:00Z": must be an RFC 3339 time
      {rate: {packetsPerSecond: 10}, expiresAt: 5}
        | spec.expiresAt in body must be of type string: "integer"
      {rate: {packetsPerSecond: 10}, priority: high}
        | spec.priority in body must be of type integer: "string"
      {rate: {packetsPerSecond: 10}, priority: 1001}
        | spec.priority: Invalid value: 1001: must be from 0 to 1000
      {rate: {packetsPerSecond: 10}, priority: 1.5}
        | spec.priority in body must be of type integer: "number"
      {rate: {packetsPerSecond: 10}, bucket: {per: Conversation}}
        | spec.bucket.per: Unsupported value: "Conversation"
      {rate: {packetsPerSecond: 10}, bucket: {per: Flow, ipv4PrefixLength: 24}}
        | spec.bucket: Invalid value: ipv4PrefixLength and ipv6PrefixLength are allowed only with per SourceIP
      {rate: {packetsPerSecond: 10}, bucket: {ipv6PrefixLength: 64}}
        | spec.bucket: Invalid value: ipv4PrefixLength and ipv6PrefixLength are allowed only with per SourceIP
      {rate: {packetsPerSecond: 10}, bucket: {per: SourceIP, ipv4PrefixLength: 33}}
        | spec.bucket.ipv4PrefixLength: Invalid value: 33: must be from 1 to 32
      {rate: {packetsPerSecond: 10}, bucket: {per: DestinationIP, ipv6PrefixLength: 0}}
        | spec.bucket.ipv6PrefixLength: Invalid value: 0: must be from 1 to 128
      {rate: {packetsPerSecond: 10}, bucket: {capacity: 0}}
        | spec.bucket.capacity: Invalid value: 0: must be from 1 to 4000000
      {rate: {packetsPerSecond: 10}, bucket: {capacity: 100}}
        | spec.bucket.capacity: Forbidden: capacity is allowed only with per SourceIP, DestinationIP, SourceAndDestinationIP and Flow
      {rate: {packetsPerSecond: 10}, bucket: {per: Interface, capacity: 100}}
        | spec.bucket.capacity: Forbidden: capacity is allowed only with per SourceIP, DestinationIP, SourceAndDestinationIP and Flow
      {rate: {connectionsPerSecond: 10}, exceed: {action: MarkECN}}
        | spec.exceed.action: Forbidden: MarkECN does not go with a rate in connections
      {rate: {packetsPerSecond: 10}, match: [{sourceCIDRs: [10.0.0.0/8, 192.0.2.0/24], destinationCIDRs: ['2001:db8::/32']}]}
        | spec.match[0]: Invalid value: a packet's addresses are both IPv4 or both IPv6
      {rate: {packetsPerSecond: 10}, exempt: [{protocol: TCP}, {sourceCIDRs: ['2001:db8::/32'], destinationCIDRs: [10.0.0.0/8]}]}
        | spec.exempt[1]: Invalid value: a packet's addresses are both IPv4 or both IPv6
      {rate: {packetsPerSecond: 10}, match: [{sourceCIDRs: [10.0.0.0/8, 192.0.2.0/24, 10.0.0.0/8]}]}
        | spec.match[0].sourceCIDRs[2]: Duplicate value: "10.0.0.0/8"
      {rate: {packetsPerSecond: 10}, nodeSelector: {matchExpressions: [{operator: Exists}]}}
        | spec.nodeSelector.matchExpressions[0].key: Required value
      {rate: {packetsPerSecond: 10, connectionsPerSecond: 10}}
        | spec.rate: Invalid value: exactly one of packetsPerSecond, bitsPerSecond, connectionsPerSecond must be set
      {rate: {connectionsPerSecond: 0}}
        | spec.rate.connectionsPerSecond: Invalid value: 0: must be a whole quantity from 1 to 10G connections per second
      {rate: {connectionsPerSecond: 11G}}
        | spec.rate.connectionsPerSecond: Invalid value: "11G": must be a whole quantity from 1 to 10G connections per second
      {rate: {connectionsPerSecond: 10}, burst: {packets: 20}}
        | spec.burst.packets: Forbidden: burst.packets goes with rate.packetsPerSecond or rate.packets; with a rate in bits set burst.bytes, with one in connections burst.connections
      {rate: {packetsPerSecond: 10}, burst: {connections: 20}}
        | spec.burst.connections: Forbidden: burst.connections goes with rate.connectionsPerSecond or rate.connections; with a rate in packets set burst.packets
      {rate: {connectionsPerSecond: 10}, burst: {connections: 2Ti}}
        | spec.burst.connections: Invalid value: "2Ti": must be a whole quantity from 1 to 1Ti (2^40) connections
      {rate: {connectionsPerSecond: 10}, match: [{sourcePorts: [1]}, {protocol: UDP}]}
        | spec.match: Forbidden: with a rate in connections each term has protocol TCP, or none: only TCP connections are counted
      {rate: {connectionsPerSecond: 6, per: Minute}}
        | spec.rate.per: Forbidden: per goes with packets, bits or connections, not with a rate per second: for 6 connections per minute write connections: 6, per: Minute
      {rate: {packetsPerSecond: 6, per: Second}}
        | spec.rate.per: Forbidden: per goes with packets, bits or connections
      {rate: {per: Minute}}
        | spec.rate: Invalid value: exactly one of packetsPerSecond, bitsPerSecond, connectionsPerSecond must be set, or one of packets, bits, connections with per
      {rate: {packetsPerSecond: 10, packets: 10}}
        | spec.rate: Invalid value: exactly one of
      {rate: {packets: 10, connections: 10, per: Hour}}
        | spec.rate: Invalid value: exactly one of
      {rate: {packets: 10, per: Day}}
        | spec.rate.per: Unsupported value: "Day": supported values: "Hour", "Minute", "Second"
      {rate: {packets: 500m, per: Minute}}
        | spec.rate.packets: Invalid value: "500m": must be a whole quantity from 1 to 10G packets
      {rate: {connections: 0, per: Hour}}
        | spec.rate.connections: Invalid value: 0: must be a whole quantity from 1 to 10G connections
      {rate: {bits: 479, per: Minute}}
        | spec.rate.bits: Invalid value: must be at least 8 bits per second: 480 with per Minute, 28800 with per Hour
      {rate: {bits: 28799, per: Hour}}
        | spec.rate.bits: Invalid value: must be at least 8 bits per second
      {rate: {bits: 7, per: Hour}}
        | spec.rate.bits: Invalid value: 7: must be a whole quantity from 8 to 10T bits
      {rate: {packets: 6, per: Minute}, burst: {bytes: 2000}}
        | spec.burst.bytes: Forbidden: burst.bytes goes with rate.bitsPerSecond or rate.bits
      {rate: {connections: 6, per: Minute}, match: [{protocol: UDP}]}
        | spec.match: Forbidden: with a rate in connections each term has protocol TCP, or none
      {rate: {connections: 6, per: Minute}, match: [{fragment: Later}]}
        | spec.match: Forbidden: with a rate in connections no term asks for ACK
      {rate: {connections: 6, per: Minute}, exceed: {action: MarkECN}}
        | spec.exceed.action: Forbidden: MarkECN does not go with a rate in connections
      {rate: {packetsPerSecond: 10}, hook: XDP, direction: Egress}
        | spec.hook: Forbidden: XDP and PreferXDP need direction Ingress
      {rate: {packetsPerSecond: 10}, hook: PreferXDP, direction: Egress}
        | spec.hook: Forbidden: XDP and PreferXDP need direction Ingress
      {rate: {packetsPerSecond: 10}, hook: Generic}
        | spec.hook: Unsupported value: "Generic": supported values: "PreferXDP", "TC", "XDP"
      {rate: {packetsPerSecond: 10}, match: []}
        | spec.match: Invalid value: 0: spec.match in body should have at least 1 items
      {rate: {packetsPerSecond: 10}, exempt: []}
        | spec.exempt: Invalid value: 0: spec.exempt in body should have at least 1 items
      {rate: {packetsPerSecond: 10}, match: TCP}
        | spec.match in body must be of type array: "string"
      {rate: {packetsPerSecond: 10}, match: [{}]}
        | spec.match[0]: Invalid value: at least one of protocol, sourceCIDRs, destinationCIDRs, sourcePorts, destinationPorts must be set, or newConnectionsOnly be true
      {rate: {packetsPerSecond: 10}, exempt: [{protocol: TCP}, {newConnectionsOnly: false}]}
        | spec.exempt[1]: Invalid value: at least one of protocol, sourceCIDRs
      {rate: {packetsPerSecond: 10}, match: [{protocol: tcp}]}
        | spec.match[0].protocol: Invalid value: "tcp": must be TCP, UDP, SCTP, ICMP, ICMPv6 or a number from 0 to 255
      {rate: {packetsPerSecond: 10}, match: [{protocol: 256}]}
        | spec.match[0].protocol: Invalid value: 256: must be TCP, UDP, SCTP, ICMP, ICMPv6 or a number from 0 to 255
      {rate: {packetsPerSecond: 10}, match: [{protocol: -1, destinationPorts: [80], newConnectionsOnly: true}]}
        | spec.match[0].protocol: Invalid value: -1: must be TCP, UDP, SCTP, ICMP, ICMPv6 or a number from 0 to 255
      {rate: {packetsPerSecond: 10}, match: [{protocol: aprotocolnamethatistoolong}]}
        | spec.match[0].protocol: Too long: may not be more than 16 bytes
      {rate: {packetsPerSecond: 10}, match: [{protocol: [TCP]}]}
        | spec.match[0].protocol in body must be of type integer,string: "array"
      {rate: {packetsPerSecond: 10}, match: [{protocol: ICMP, destinationPorts: [80]}]}
        | spec.match[0]: Invalid value: sourcePorts and destinationPorts require protocol TCP, UDP or SCTP, or no protocol
      {rate: {packetsPerSecond: 10}, exempt: [{protocol: 47, sourcePorts: [80]}]}
        | spec.exempt[0]: Invalid value: sourcePorts and destinationPorts require protocol TCP, UDP or SCTP, or no protocol
      {rate: {packetsPerSecond: 10}, match: [{protocol: UDP, newConnectionsOnly: true}]}
        | spec.match[0].newConnectionsOnly: Forbidden: newConnectionsOnly requires protocol TCP or no protocol
      {rate: {packetsPerSecond: 10}, match: [{newConnectionsOnly: 'yes'}]}
        | spec.match[0].newConnectionsOnly in body must be of type boolean: "string"
      {rate: {packetsPerSecond: 10}, match: [{sourceCIDRs: []}]}
        | spec.match[0].sourceCIDRs: Invalid value: 0: spec.match[0].sourceCIDRs in body should have at least 1 items
      {rate: {packetsPerSecond: 10}, match: [{sourceCIDRs: [10.0.0.0/8, 192.0.2.1/24]}]}
        | spec.match[0].sourceCIDRs[1]: Invalid value: "192.0.2.1/24": must be an IPv4 or IPv6 network whose bits after the prefix length are 0, such as 192.0.2.0/24 or 2001:db8::/32
      {rate: {packetsPerSecond: 10}, match: [{destinationCIDRs: [192.0.2.1]}]}
        | spec.match[0].destinationCIDRs[0]: Invalid value: "192.0.2.1": must be an IPv4 or IPv6 network
      {rate: {packetsPerSecond: 10}, match: [{sourceCIDRs: [10.0.0.0/33]}]}
        | spec.match[0].sourceCIDRs[0]: Invalid value: "10.0.0.0/33": must be an IPv4 or IPv6 network
      {rate: {packetsPerSecond: 10}, match: [{sourceCIDRs: [10.0.0.0/08]}]}
        | spec.match[0].sourceCIDRs[0]: Invalid value: "10.0.0.0/08": must be an IPv4 or IPv6 network
      {rate: {packetsPerSecond: 10}, match: [{sourceCIDRs: [010.0.0.0/8]}]}
        | spec.match[0].sourceCIDRs[0]: Invalid value: "010.0.0.0/8": must be an IPv4 or IPv6 network
      {rate: {packetsPerSecond: 10}, match: [{sourceCIDRs: ['2001:db8::1/32']}]}
        | spec.match[0].sourceCIDRs[0]: Invalid value: "2001:db8::1/32": must be an IPv4 or IPv6 network
      {rate: {packetsPerSecond: 10}, match: [{sourceCIDRs: ['02001:db8::/32']}]}
        | spec.match[0].sourceCIDRs[0]: Invalid value: "02001:db8::/32": must be an IPv4 or IPv6 network
      {rate: {packetsPerSecond: 10}, match: [{sourceCIDRs: ['fe80::%eth0/64']}]}
        | spec.match[0].sourceCIDRs[0]: Invalid value: "fe80::%eth0/64": must be an IPv4 or IPv6 network
      {rate: {packetsPerSecond: 10}, exempt: [{sourceCIDRs: ['::ffff:192.0.2.0/120']}]}
        | spec.exempt[0].sourceCIDRs[0]: Invalid value: "::ffff:192.0.2.0/120": must be an IPv4 or IPv6 network
      {rate: {packetsPerSecond: 10}, match: [{sourceCIDRs: ['a network that is longer than any that there is']}]}
        | spec.match[0].sourceCIDRs[0]: Too long: may not be more than 43 bytes
      {rate: {packetsPerSecond: 10}, match: [{destinationPorts: []}]}
        | spec.match[0].destinationPorts: Invalid value: 0: spec.match[0].destinationPorts in body should have at least 1 items
      {rate: {packetsPerSecond: 10}, match: [{destinationPorts: [443, 0]}]}
        | spec.match[0].destinationPorts[1]: Invalid value: 0: must be a port from 1 to 65535, or a range, low to high, such as "8000-8999"
      {rate: {packetsPerSecond: 10}, match: [{sourcePorts: [65536]}]}
        | spec.match[0].sourcePorts[0]: Invalid value: 65536: must be a port from 1 to 65535
      {rate: {packetsPerSecond: 10}, match: [{sourcePorts: [8999-8000]}]}
        | spec.match[0].sourcePorts[0]: Invalid value: "8999-8000": must be a port from 1 to 65535, or a range, low to high
      {rate: {packetsPerSecond: 10}, match: [{sourcePorts: [8000-70000]}]}
        | spec.match[0].sourcePorts[0]: Invalid value: "8000-70000": must be a port from 1 to 65535
      {rate: {packetsPerSecond: 10}, match: [{sourcePorts: [https]}]}
        | spec.match[0].sourcePorts[0]: Invalid value: "https": must be a port from 1 to 65535
      {rate: {packetsPerSecond: 10}, match: [{sourcePorts: [-5]}]}
        | spec.match[0].sourcePorts[0]: Invalid value: -5: must be a port from 1 to 65535
      {rate: {packetsPerSecond: 10}, match: [{notSourcePorts: [0]}]}
        | spec.match[0].notSourcePorts[0]: Invalid value: 0: must be a port from 1 to 65535
      {rate: {packetsPerSecond: 10}, match: [{notSourcePorts: [80], sourcePorts: [1-1000]}]}
        | spec.match[0].notSourcePorts: Forbidden: notSourcePorts is not allowed with sourcePorts
      {rate: {packetsPerSecond: 10}, match: [{notDestinationPorts: [80], destinationPorts: [1-1000]}]}
        | spec.match[0].notDestinationPorts: Forbidden: notDestinationPorts is not allowed with destinationPorts
      {rate: {packetsPerSecond: 10}, match: [{protocol: ICMP, notDestinationPorts: [80]}]}
        | spec.match[0]: Invalid value: notSourcePorts and notDestinationPorts require protocol TCP, UDP or SCTP, or no protocol
      {rate: {packetsPerSecond: 10}, match: [{notSourceCIDRs: [10.0.0.1/8]}]}
        | spec.match[0].notSourceCIDRs[0]: Invalid value: "10.0.0.1/8": must be an IPv4 or IPv6 network
      {rate: {packetsPerSecond: 10}, match: [{sourceCIDRs: [10.1.0.0/16, 10.0.0.0/8], notSourceCIDRs: [10.0.0.0/8, '::/0', 10.1.0.0/16]}]}
        | spec.match[0]: Invalid value: every network of sourceCIDRs is also in notSourceCIDRs, so this term matches nothing
      {rate: {packetsPerSecond: 10}, exempt: [{destinationCIDRs: ['fd00::/8'], notDestinationCIDRs: ['fd00::/8']}]}
        | spec.exempt[0]: Invalid value: every network of destinationCIDRs is also in notDestinationCIDRs, so this term matches nothing
      {rate: {packetsPerSecond: 10}, match: [{protocol: UDP, tcpFlags: {set: [SYN]}}]}
        | spec.match[0].tcpFlags: Forbidden: tcpFlags requires protocol TCP or no protocol
      {rate: {packetsPerSecond: 10}, match: [{newConnectionsOnly: true, tcpFlags: {set: [ECE]}}]}
        | spec.match[0].tcpFlags: Forbidden: tcpFlags is not allowed with newConnectionsOnly
      {rate: {packetsPerSecond: 10}, match: [{tcpFlags: {}}]}
        | spec.match[0].tcpFlags: Invalid value: at least one of set, unset must be set
      {rate: {packetsPerSecond: 10}, match: [{tcpFlags: {set: [SYN, ACK], unset: [ACK]}}]}
        | spec.match[0].tcpFlags: Invalid value: a flag is in set or in unset, not in both
      {rate: {packetsPerSecond: 10}, match: [{tcpFlags: {set: [syn]}}]}
        | spec.match[0].tcpFlags.set[0]: Unsupported value: "syn"
      {rate: {packetsPerSecond: 10}, match: [{tcpFlags: {set: [SYN, SYN]}}]}
        | spec.match[0].tcpFlags.set[1]: Duplicate value: "SYN"
      {rate: {packetsPerSecond: 10}, match: [{icmp: {type: 8}}]}
        | spec.match[0].icmp: Forbidden: icmp requires protocol ICMP or ICMPv6
      {rate: {packetsPerSecond: 10}, match: [{protocol: TCP, icmp: {type: 8}}]}
        | spec.match[0].icmp: Forbidden: icmp requires protocol ICMP or ICMPv6
      {rate: {packetsPerSecond: 10}, match: [{protocol: ICMP, icmp: {code: 8}}]}
        | spec.match[0].icmp.type: Required value
      {rate: {packetsPerSecond: 10}, match: [{protocol: ICMP, icmp: {type: 256}}]}
        | spec.match[0].icmp.type: Invalid value: 256: must be from 0 to 255
      {rate: {packetsPerSecond: 10}, match: [{protocol: ICMPv6, icmp: {type: 1, code: -1}}]}
        | spec.match[0].icmp.code: Invalid value: -1: must be from 0 to 255
      {rate: {packetsPerSecond: 10}, match: [{dscps: [64]}]}
        | spec.match[0].dscps[0]: Invalid value: 64: must be from 0 to 63
      {rate: {packetsPerSecond: 10}, match: [{dscps: [8, 8]}]}
        | spec.match[0].dscps[1]: Duplicate value: 8
      {rate: {packetsPerSecond: 10}, match: [{packetLengths: [19]}]}
        | spec.match[0].packetLengths[0]: Invalid value: 19: must be the length of an IP packet from 20 to 65535, or a range
      {rate: {packetsPerSecond: 10}, match: [{packetLengths: [100-40]}]}
        | spec.match[0].packetLengths[0]: Invalid value: "100-40": must be the length of an IP packet
      {rate: {packetsPerSecond: 10}, match: [{fragment: Last}]}
        | spec.match[0].fragment: Unsupported value: "Last"
      {rate: {packetsPerSecond: 10}, match: [{fragment: Later, tcpFlags: {set: [SYN]}}]}
        | spec.match[0].fragment: Forbidden: fragment Later is not allowed with tcpFlags or newConnectionsOnly
      {rate: {connectionsPerSecond: 10}, match: [{protocol: TCP}, {tcpFlags: {set: [ACK]}}]}
        | spec.match: Forbidden: with a rate in connections no term asks for ACK, for a packet without SYN, or for later fragments
      {rate: {connectionsPerSecond: 10}, match: [{fragment: Later}]}
        | spec.match: Forbidden: with a rate in connections no term asks for ACK
      {rate: {packetsPerSecond: 10}, bucket: {parent: {rate: {packetsPerSecond: 100}}}}
        | spec.bucket.parent: Forbidden: parent is allowed only with per SourceIP, DestinationIP, SourceAndDestinationIP and Flow
      {rate: {packetsPerSecond: 10}, bucket: {per: SourceIP, parent: {burst: {packets: 100}}}}
        | spec.bucket.parent.rate: Required value
      {rate: {packetsPerSecond: 10}, bucket: {per: SourceIP, parent: {rate: {}}}}
        | spec.bucket.parent.rate: Invalid value: exactly one of packetsPerSecond, bitsPerSecond, connectionsPerSecond must be set
      {rate: {packetsPerSecond: 10}, bucket: {per: SourceIP, parent: {rate: {bitsPerSecond: 1M}}}}
        | spec.bucket.parent.rate: Forbidden: bucket.parent.rate counts what rate counts
      {rate: {bitsPerSecond: 1M}, bucket: {per: SourceIP, parent: {rate: {percentOfLinkSpeed: 10}}}}
        | spec.bucket.parent.rate.percentOfLinkSpeed: Forbidden: a parent has one rate for all interfaces
      {rate: {connections: 10, per: Minute}, bucket: {per: SourceIP, parent: {rate: {packetsPerSecond: 10}}}}
        | spec.bucket.parent.rate: Forbidden: bucket.parent.rate counts what rate counts
      {rate: {packetsPerSecond: 10}, bucket: {per: SourceIP, parent: {rate: {packetsPerSecond: 100}, burst: {bytes: 2000}}}}
        | spec.bucket.parent.burst.bytes: Forbidden: burst.bytes goes with rate.bitsPerSecond or rate.bits
      {rate: {packetsPerSecond: 10}, bucket: {per: SourceIP, parent: {rate: {packetsPerSecond: 0}}}}
        | spec.bucket.parent.rate.packetsPerSecond: Invalid value: 0: must be a whole quantity from 1 to 10G packets per second
      {rate: {packetsPerSecond: 10}, bucket: {per: SourceIP, parent: {rate: {packetsPerSecond: 100}}}, exceed: {action: MarkECN}}
        | spec.exceed.action: Forbidden: MarkECN does not go with bucket.parent
      {rate: {packetsPerSecond: 10}, bucket: {onFull: EvictOldest}}
        | spec.bucket.onFull: Forbidden: EvictOldest is allowed only with per SourceIP, DestinationIP, SourceAndDestinationIP and Flow
      {rate: {packetsPerSecond: 10}, bucket: {per: Interface, onFull: EvictOldest}}
        | spec.bucket.onFull: Forbidden: EvictOldest is allowed only with per SourceIP, DestinationIP, SourceAndDestinationIP and Flow
      {rate: {packetsPerSecond: 10}, bucket: {per: Flow, onFull: Pass}}
        | spec.bucket.onFull: Unsupported value: "Pass": supported values: "EvictOldest", "ShareBucket"
      {rate: {packetsPerSecond: 10}, exceed: {action: Reject}}
        | spec.exceed.action: Unsupported value: "Reject": supported values: "Drop", "MarkECN", "SetDSCP"
      {rate: {packetsPerSecond: 10}, exceed: {action: SetDSCP}}
        | spec.exceed.dscp: Required value: action SetDSCP requires dscp, from 0 to 63
      {rate: {packetsPerSecond: 10}, exceed: {dscp: 8}}
        | spec.exceed.dscp: Forbidden: dscp is allowed only with action SetDSCP
      {rate: {packetsPerSecond: 10}, exceed: {action: MarkECN, dscp: 8}}
        | spec.exceed.dscp: Forbidden: dscp is allowed only with action SetDSCP
      {rate: {packetsPerSecond: 10}, exceed: {action: SetDSCP, dscp: 64}}
        | spec.exceed.dscp: Invalid value: 64: must be from 0 to 63
      {rate: {packetsPerSecond: 10}, failsafe: Never}
        | spec.failsafe: Unsupported value: "Never": supported values: "Disabled", "Enabled"
      {rate: {packetsPerSecond: 10}, rollout: {maxConcurrent: 0}}
        | spec.rollout.maxConcurrent: Invalid value: 0: must be a number of nodes from 1, or a percentage from 1% to 100%
      {rate: {packetsPerSecond: 10}, rollout: {maxConcurrent: 101%}}
        | spec.rollout.maxConcurrent: Invalid value: "101%": must be a number of nodes from 1, or a percentage from 1% to 100%
      {rate: {packetsPerSecond: 10}, rollout: {maxConcurrent: half}}
        | spec.rollout.maxConcurrent: Invalid value: "half": must be a number of nodes from 1, or a percentage from 1% to 100%
      {rate: {packetsPerSecond: 10}, rollout: {maxFailures: -1}}
        | spec.rollout.maxFailures: Invalid value: -1: must be a number of nodes from 0, or a percentage from 0% to 100%
      {rate: {packetsPerSecond: 10}, rollout: {minReadySeconds: 3601}}
        | spec.rollout.minReadySeconds: Invalid value: 3601: must be from 0 to 3600
      {rate: {packetsPerSecond: 10}, rollout: {paused: 1}}
        | spec.rollout.paused in body must be of type boolean: "integer"
      {rate: {packetsPerSecond: 10}, mode: Dry, direction: Up}
        | spec.mode: Unsupported value: "Dry"
      {rate: {packetsPerSecond: 10}, foo: 1}
        | unknown field "spec.foo"
      {rate: {packetsPerSecond: 10, foo: 1}, bar: {}}
        | unknown field "spec.bar", unknown field "spec.rate.foo"
      {rate: 10}
        | spec.rate in body must be of type object: "integer"
      {rate: {packetsPerSecond: null}}
        | spec.rate: Invalid value: exactly one of
      {rate: {packetsPerSecond: 0}, priority: 5000, interfaces: [{name: ''}]}
        | spec.priority: Invalid value: 5000: must be from 0 to 1000
      """;

  /** Right specs, which use the freedom that the rules above leave. */
  private static final String RIGHT =
      """
      {rate: {packetsPerSecond: 10}}
      {rate: {connectionsPerSecond: 10k}, burst: {connections: 1}}
      {rate: {connectionsPerSecond: 10}, match: [{protocol: TCP, destinationPorts: [443]}, {protocol: 6}, {sourceCIDRs: [0.0.0.0/0]}]}
      {rate: {connectionsPerSecond: 10}, exempt: [{protocol: UDP}, {newConnectionsOnly: true, sourceCIDRs: ['::/0']}]}
      {rate: {packetsPerSecond: 10}, match: [{protocol: 0}, {protocol: 255}, {protocol: '17'}, {protocol: ICMPv6}]}
      {rate: {packetsPerSecond: 10}, match: [{protocol: 132, sourcePorts: [1, 65535, '80', 8000-8999, 1-1]}]}
      {rate: {packetsPerSecond: 10}, match: [{protocol: 6, newConnectionsOnly: true}, {protocol: UDP, newConnectionsOnly: false}]}
      {rate: {packetsPerSecond: 10}, exempt: [{destinationCIDRs: [192.0.2.1/32, '2001:DB8:0::/48', '64:ff9b::/96', '::/0']}]}
      {rate: {packetsPerSecond: 10}, bucket: {per: Flow, onFull: EvictOldest}}
      {rate: {connections: 6, per: Minute}, bucket: {per: SourceIP, parent: {rate: {connectionsPerSecond: 5}, burst: {connections: 9}}}, exceed: {action: SetDSCP, dscp: 8}}
      {rate: {packetsPerSecond: 10}, bucket: {onFull: ShareBucket}, failsafe: Disabled}
      {rate: {packetsPerSecond: 10}, exceed: {action: MarkECN}}
      {rate: {packetsPerSecond: 10}, exceed: {action: SetDSCP, dscp: 0}, mode: Audit}
      {rate: {packetsPerSecond: 10}, rollout: {maxConcurrent: 3, maxFailures: 0, paused: false}}
      {rate: {packetsPerSecond: 10}, rollout: {maxConcurrent: 100%, maxFailures: 10%, minReadySeconds: 60, progressDeadlineSeconds: 60}}
      {rate: {packetsPerSecond: 10}, bucket: {per: SourceIP, capacity: 100}}
      {rate: {packetsPerSecond: 10}, bucket: {per: SourceAndDestinationIP, capacity: 100, ipv4PrefixLength: 24, onFull: EvictOldest}}
      {rate: {packetsPerSecond: 10}, match: [{sourceCIDRs: [10.0.0.0/8, '2001:db8::/32'], destinationCIDRs: ['::/0']}]}
      {rate: {packetsPerSecond: 10}, match: [{protocol: ICMP, icmp: {type: 8}}, {protocol: 58, icmp: {type: 128, code: 0}}]}
      {rate: {packetsPerSecond: 10}, match: [{tcpFlags: {set: [SYN], unset: [ACK]}}, {protocol: TCP, tcpFlags: {unset: [FIN, SYN, RST, PSH, ACK, URG, ECE, CWR]}}]}
      {rate: {packetsPerSecond: 10}, exempt: [{dscps: [0, 46, 63]}, {packetLengths: [20, '40-100', 65535]}, {fragment: None}]}
      {rate: {packetsPerSecond: 10}, match: [{fragment: Later}, {fragment: First, tcpFlags: {set: [SYN]}}, {protocol: UDP, notSourcePorts: [53]}]}
      {rate: {packetsPerSecond: 10}, match: [{notSourceCIDRs: [10.0.0.0/8]}, {sourceCIDRs: [10.0.0.0/8], notSourceCIDRs: [10.1.0.0/16]}]}
      {rate: {connectionsPerSecond: 10}, match: [{tcpFlags: {unset: [ECE]}, packetLengths: [40-60], fragment: None}]}
      {rate: {connections: 6, per: Minute}, bucket: {per: SourceIP}, match: [{protocol: TCP, destinationPorts: [22]}]}
      {rate: {connections: 6, per: Minute}, burst: {connections: 1}}
      {rate: {packets: 1, per: Hour}, burst: {packets: 1}}
      {rate: {packets: 10}}
      {rate: {packets: 10G, per: Second}}
      {rate: {bits: 480, per: Minute}, burst: {bytes: 1514}}
      {rate: {bits: 28.8k, per: Hour}}
      {rate: {bits: 8}}
      {rate: {packetsPerSecond: 5000m}}
      {rate: {packetsPerSecond: '2000.0'}}
      {rate: {packetsPerSecond: 2000.0}}
      {rate: {packetsPerSecond: 1.0000k}, burst: {packets: 1.5Ki}}
      {rate: {bitsPerSecond: 9.999999999999T}, burst: {bytes: 1Ti}}
      {rate: {packetsPerSecond: 1e3}}
      {rate: {packetsPerSecond: 10G}}
      {rate: {percentOfLinkSpeed: 1}, bucket: {per: Interface}}
      {rate: {percentOfLinkSpeed: 100}, bucket: {per: Interface}, burst: {bytes: 1514}, exceed: {action: MarkECN}}
      """;

  private record Wrong(String spec, String refusal) {}

  private static List<Wrong> wrong() {
    List<String> lines = WRONG.lines().map(String::strip).toList();
    List<Wrong> wrong = new ArrayList<>();
    for (int i = 0; i + 1 < lines.size(); i += 2) {
      wrong.add(new Wrong(lines.get(i), lines.get(i + 1).substring(2)));
    }
    return wrong;
  }

  @TempDir Path folder;

  @Test
  void eachIsRefusedByTheApiServerAndByTheAgentInTheSameWords(ControlPlane controlPlane)
      throws IOException {
    TreeMap<String, Wrong> byFile = new TreeMap<>();
    for (Wrong each : wrong()) {
      String file = "p%03d.yaml".formatted(byFile.size());
      byFile.put(file, each);
      Files.writeString(folder.resolve(file), document(file, each.spec()));
    }
    List<String> byAgent = refusalsOfAgent("p000.yaml");

    SoftAssertions softly = new SoftAssertions();
    byFile.forEach(
        (file, each) -> {
          List<String> api = refusalsOfApi(controlPlane, file);
          List<String> agent =
              byAgent.stream()
                  .filter(line -> line.startsWith(file + ": "))
                  .map(line -> line.substring(file.length() + 2))
                  .toList();
          softly
              .assertThat(api)
              .as(each.spec())
              .anySatisfy(refusal -> assertThat(refusal).contains(each.refusal()));
          softly.assertThat(agent).as(each.spec()).containsExactlyInAnyOrderElementsOf(api);
        });
    softly.assertAll();
  }

  @Test
  void whatIsRightIsTakenByBothAndSoAreTheSamples(ControlPlane controlPlane) throws IOException {
    List<String> right = RIGHT.lines().toList();
    for (int i = 0; i < right.size(); i++) {
      String file = "p%03d.yaml".formatted(i);
      Files.writeString(folder.resolve(file), document("right-" + file, right.get(i)));
    }
    List<Path> samples = samples();
    long documents = 0;
    for (Path sample : samples) {
      assertThat(Files.readString(sample))
          .as("%s spares the control plane", sample)
          .contains("{key: node-role.kubernetes.io/control-plane, operator: DoesNotExist}");
      documents +=
          Files.readString(sample).lines().filter(line -> line.startsWith("kind:")).count();
      Files.copy(sample, folder.resolve(sample.getFileName()));
    }
    Files.writeString(folder.resolve("wrong.yaml"), document("wrong", "{}"));

    assertThat(refusalsOfAgent("wrong.yaml"))
        .containsExactly("wrong.yaml: spec.rate: Required value");
    Files.delete(folder.resolve("wrong.yaml"));
    String taken =
        Commands.run(controlPlane.kubectl("apply", "--dry-run=server", "-f", folder.toString()));
    assertThat(taken.lines())
        .hasSize(right.size() + (int) documents)
        .allMatch(line -> line.contains("created"));
  }

  private static List<Path> samples() throws IOException {
    try (Stream<Path> files = Files.list(Commands.repository().resolve("deploy/samples"))) {
      return files.filter(file -> file.toString().endsWith(".yaml")).toList();
    }
  }

  private static String document(String file, String spec) {
    return """
    apiVersion: tokenbucket.dev/v1alpha1
    kind: TokenBucketPolicy
    metadata: {name: %s}
    spec: %s
    """
        .formatted(file, spec);
  }

  private List<String> refusalsOfAgent(String first) throws IOException {
    List<String> refusals = new ArrayList<>();
    try (TestNetwork network = TestNetwork.of(1, Files.createDirectory(folder.resolve("hosts")))) {
      TestHost host = network.hosts().get(0);
      try (Daemon agent = host.startAgent(folder, Daemon.Lifetime.WITH_PARENT)) {
        agent.awaitLog("refused " + first, Duration.ofSeconds(20));
        for (JsonNode refusal : host.status().path("refused")) {
          refusals.add(refusal.asText());
        }
      }
    }
    return refusals;
  }

  private List<String> refusalsOfApi(ControlPlane controlPlane, String file) {
    StepFailedException failure =
        catchThrowableOfType(
            StepFailedException.class,
            () ->
                Commands.run(controlPlane.kubectl("apply", "-f", folder.resolve(file).toString())));
    String message = String.valueOf(failure.getMessage());
    int strict = message.indexOf("strict decoding error");
    if (strict >= 0) {
      return List.of(message.substring(strict));
    }
    String refusals =
        message.substring(message.indexOf(" is invalid: ") + " is invalid: ".length());
    // A line that begins with <nil> only says that more may be wrong.
    return refusals
        .lines()
        .map(line -> line.startsWith("* ") ? line.substring(2) : line.strip())
        .filter(line -> !line.isEmpty() && !line.startsWith("<nil>"))
        .toList();
  }
}

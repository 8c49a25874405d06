/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Traffic that a node needs to stay in its cluster, exempt from policies that don't disable the
 * failsafe: neighbour discovery, DHCP, multicast group membership, path MTU discovery, and, with
 * peers from the agent's settings, the traffic of kubelet, of the API server and of the overlay's
 * control plane. ARP is not IP, so it passes anyway.
 *
 * The recognition is narrow, because anybody can send packets that look like failsafe traffic:
 *   ND          types and hop limit 255 (RFC 4861: such a packet was not forwarded)
 *   DHCPv4      both ports
 *   DHCPv6      the client's port (an answer may come from any port)
 *   MLD, IGMP   what their receivers insist on
 *   path MTU    type and code of the error
 *   peers       port and peer
 * A packet that can't be read is none of these. Each kind has its own generous bucket, so that the
 * exemption is no way round a limit and a flood of one kind leaves the others alone. The policies
 * judge packets beyond the kind's bucket like all other traffic.
 */
#ifndef TB_FAILSAFE_H
#define TB_FAILSAFE_H

#include <linux/in.h>
#include <bpf/bpf_endian.h>

#include "hook.h"
#include "maps.h"
#include "packet.h"

enum failsafe_kind {
	FAILSAFE_NEIGHBOUR,
	FAILSAFE_DHCP,
	FAILSAFE_GROUP,	   /* MLD, IGMP */
	FAILSAFE_PATH_MTU, /* ICMP errors */
	FAILSAFE_PEER,
	FAILSAFE_KINDS,
	FAILSAFE_NONE = FAILSAFE_KINDS,
};

/* Kind k has the slot FAILSAFE_SLOT + k: the last slots of the host. */
enum failsafe_slot { FAILSAFE_SLOT = MAX_SLOTS - FAILSAFE_KINDS };

#define ND_FIRST_TYPE 133 /* router solicitation */
#define ND_LAST_TYPE 137  /* redirect */
#define ND_HOP_LIMIT 255

#define MLD_QUERY 130
#define MLD_DONE 132 /* 131, in between: the version 1 report */
#define MLD_REPORT 143
#define GROUP_HOP_LIMIT 1 /* of MLD and IGMP */

#define ICMPV6_PACKET_TOO_BIG 2
#define ICMP_UNREACHABLE 3
#define ICMP_FRAGMENTATION_NEEDED 4

#define DHCP_PAIR(source, destination)                                                             \
	((__u32)bpf_htons(source) << 16 | (__u32)bpf_htons(destination))
#define DHCPV6_CLIENT 546
#define DHCPV6_SERVER 547

/* Bits of a peer's value: the entry's port is the packet's destination or source port. */
enum failsafe_by {
	FAILSAFE_BY_DESTINATION_PORT = 1 << 0,
	FAILSAFE_BY_SOURCE_PORT = 1 << 1,
};

/*
 * A service and the peer that may be at its other end: the source on ingress, the destination on
 * egress.
 */
struct failsafe_key {
	__u32 length; /* in bits, of all that follows */
	__be16 port;
	__u8 protocol;
	__u8 version;
	__u32 address[4]; /* network order; IPv4 in [0] */
};

/*
 * Belongs to one program, like the maps of match.h: the agent fills the map before it attaches the
 * program.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct failsafe_key);
	__type(value, __u32);
} failsafe_peers SEC(".maps");

struct failsafe_count {
	__u64 exempt_packets;
	__u64 exceed_packets; /* beyond the kind's bucket; the policies judge them */
};

/* Pinned per hook. Only the classifier writes the counters, per CPU; the agent sums them. */
struct failsafe_counters {
	struct failsafe_count kind[FAILSAFE_KINDS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct failsafe_counters);
} failsafe_counters SEC(".maps");

static __always_inline _Bool failsafe_is_dhcp(const struct packet *packet)
{
	__u32 ports = (__u32)packet->source_port << 16 | packet->destination_port;

	if (packet->protocol != IPPROTO_UDP)
		return 0;
	if (packet->version == 4)
		return ports == DHCP_PAIR(68, 67) || ports == DHCP_PAIR(67, 68);
	return packet->destination_port == bpf_htons(DHCPV6_CLIENT) ||
	       ports == DHCP_PAIR(DHCPV6_CLIENT, DHCPV6_SERVER);
}

/*
 * A host reports membership from a link-local address, or from the unspecified one while it has
 * none (RFC 3590), with hop limit 1.
 */
static __always_inline _Bool failsafe_is_mld(const struct packet *packet)
{
	const __u32 *source = packet->source;
	_Bool link_local = (source[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);

	return packet->hop_limit == GROUP_HOP_LIMIT &&
	       ((packet->icmp_type >= MLD_QUERY && packet->icmp_type <= MLD_DONE) ||
		packet->icmp_type == MLD_REPORT) &&
	       (link_local || !(source[0] | source[1] | source[2] | source[3]));
}

static __always_inline _Bool failsafe_is_igmp(const struct packet *packet)
{
	return packet->protocol == IPPROTO_IGMP && packet->hop_limit == GROUP_HOP_LIMIT &&
	       (packet->destination[0] & bpf_htonl(0xf0000000)) == bpf_htonl(0xe0000000);
}

static __always_inline enum failsafe_kind failsafe_icmpv6_kind(const struct packet *packet)
{
	if (packet->protocol != IPPROTO_ICMPV6)
		return FAILSAFE_NONE;
	if (packet->icmp_type == ICMPV6_PACKET_TOO_BIG)
		return FAILSAFE_PATH_MTU;
	if (failsafe_is_mld(packet))
		return FAILSAFE_GROUP;
	return packet->hop_limit == ND_HOP_LIMIT && packet->icmp_type >= ND_FIRST_TYPE &&
		       packet->icmp_type <= ND_LAST_TYPE
		   ? FAILSAFE_NEIGHBOUR
		   : FAILSAFE_NONE;
}

static __always_inline enum failsafe_kind failsafe_icmpv4_kind(const struct packet *packet)
{
	if (failsafe_is_igmp(packet))
		return FAILSAFE_GROUP;
	return packet->protocol == IPPROTO_ICMP && packet->icmp_type == ICMP_UNREACHABLE &&
		       packet->icmp_code == ICMP_FRAGMENTATION_NEEDED
		   ? FAILSAFE_PATH_MTU
		   : FAILSAFE_NONE;
}

/* The failsafe kind of traffic that needs no peer. */
static __always_inline enum failsafe_kind failsafe_link_kind(const struct packet *packet)
{
	if (packet->known & PACKET_PORTS)
		return failsafe_is_dhcp(packet) ? FAILSAFE_DHCP : FAILSAFE_NONE;
	if (!(packet->known & PACKET_TRANSPORT))
		return FAILSAFE_NONE;
	return packet->version == 4 ? failsafe_icmpv4_kind(packet) : failsafe_icmpv6_kind(packet);
}

static __always_inline _Bool failsafe_is_peer_at(const struct packet *packet, __be16 port, __u32 by)
{
	const __u32 *peer = hook.egress ? packet->destination : packet->source;
	struct failsafe_key key = {
	    .length = 160, .port = port, .protocol = packet->protocol, .version = packet->version};
	__u32 *allowed;

	__builtin_memcpy(key.address, peer, sizeof(key.address));
	allowed = bpf_map_lookup_elem(&failsafe_peers, &key);
	return allowed && (*allowed & by);
}

static __always_inline _Bool failsafe_is_peer(const struct packet *packet)
{
	for (int i = 0; i < MAX_FAILSAFE_PORTS; i++) {
		__be16 port = hook.failsafe_ports[i];

		if (!port)
			return 0;
		if (packet->destination_port == port &&
		    failsafe_is_peer_at(packet, port, FAILSAFE_BY_DESTINATION_PORT))
			return 1;
		if (packet->source_port == port &&
		    failsafe_is_peer_at(packet, port, FAILSAFE_BY_SOURCE_PORT))
			return 1;
	}
	return 0;
}

static __always_inline _Bool failsafe_conforms(struct clock_source *source,
					       const struct packet *packet, enum failsafe_kind kind)
{
	__u32 slot = FAILSAFE_SLOT + kind, only = 0;
	struct policy_parameters *now_in_force = bpf_map_lookup_elem(&parameters, &slot);
	struct shared_bucket *shared = bpf_map_lookup_elem(&shared_buckets, &slot);
	struct failsafe_counters *count = bpf_map_lookup_elem(&failsafe_counters, &only);
	_Bool conforms;

	if (!now_in_force || !shared || !count || kind >= FAILSAFE_KINDS)
		return 0;
	conforms = bucket_judge(source, &shared->bucket, now_in_force,
				(__u64)packet->segments << AXIS_PACKET_SHIFT) == BUCKET_CONFORM;
	if (conforms)
		count->kind[kind].exempt_packets += packet->segments;
	else
		count->kind[kind].exceed_packets += packet->segments;
	return conforms;
}

/*
 * Judges a packet that looks like failsafe traffic. Such packets are rare, so a separate function
 * keeps this code out of the path of all other packets.
 */
__noinline int failsafe_exempts(struct clock_source *source, struct packet *packet)
{
	enum failsafe_kind kind;

	if (!source || !packet)
		return 0;
	kind = failsafe_link_kind(packet);
	if (kind == FAILSAFE_NONE && (hook.features & HOOK_FAILSAFE_PEERS) &&
	    failsafe_is_peer(packet))
		kind = FAILSAFE_PEER;
	return kind != FAILSAFE_NONE && failsafe_conforms(source, packet, kind);
}

static __always_inline _Bool failsafe_has_port(const struct packet *packet)
{
	for (int i = 0; i < MAX_FAILSAFE_PORTS; i++) {
		__be16 port = hook.failsafe_ports[i];

		if (!port)
			return 0;
		if (packet->destination_port == port || packet->source_port == port)
			return 1;
	}
	return 0;
}

/* Whether the packet may be failsafe traffic. Rules out most packets with a few comparisons. */
static __always_inline _Bool failsafe_may_exempt(const struct packet *packet)
{
	/* Remembered ports never exempt a later fragment. */
	if ((hook.features & HOOK_REMEMBERS_FIRST) && !(packet->known & PACKET_TRANSPORT))
		return 0;
	if ((packet->known & PACKET_PORTS) && (hook.features & HOOK_FAILSAFE_PEERS) &&
	    failsafe_has_port(packet))
		return 1;
	return failsafe_link_kind(packet) != FAILSAFE_NONE;
}

#endif

/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * What a node needs to stay in its cluster, exempt from policies that don't disable it: neighbour
 * discovery, DHCP, membership of multicast groups, path MTU discovery, and with peers given by the
 * agent's settings kubelet, API server and the overlay's control traffic. ARP is no IP, so it
 * passes anyway.
 *
 * Told narrowly, since anybody can send what looks like it: ND by its types and hop limit 255
 * (RFC 4861: such a packet was not forwarded), DHCPv4 by both ports, DHCPv6 by the client's (an
 * answer may come from any port), MLD and IGMP by what their receivers insist on, path MTU errors
 * by type and code, the others by port and peer. What can't be read is none of it. Each kind has a
 * generous bucket of its own, so that it is no way round a limit, and a flood of one leaves the
 * others alone: beyond it a packet is judged as all other traffic.
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

/* Kind k has the slot FAILSAFE_SLOT + k: the host's last ones. */
enum failsafe_slot { FAILSAFE_SLOT = MAX_SLOTS - FAILSAFE_KINDS };

#define ND_FIRST_TYPE 133 /* router solicitation */
#define ND_LAST_TYPE 137  /* redirect */
#define ND_HOP_LIMIT 255

#define MLD_QUERY 130
#define MLD_DONE 132 /* between the two: the report of version 1 */
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

/* A service and who may be at its other end: the source on ingress, the destination on egress. */
struct failsafe_key {
	__u32 length; /* in bits, of all that follows */
	__be16 port;
	__u8 protocol;
	__u8 version;
	__u32 address[4]; /* network order; IPv4 in [0] */
};

/* Belongs to one program, as the maps of match.h do: filled by the agent before it is attached. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct failsafe_key);
	__type(value, __u32);
} failsafe_peers SEC(".maps");

struct failsafe_count {
	__u64 exempt_packets;
	__u64 exceed_packets; /* beyond the kind's bucket: judged by the policies */
};

/* Pinned a hook. Written per CPU by the classifier alone, summed by the agent. */
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

/* Membership is told from a link-local address, or from none yet (RFC 3590), with hop limit 1. */
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

/* Of what needs no peer. */
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
 * A packet that is taken for failsafe traffic: rare, so a function of its own keeps it out of the
 * way of all other packets.
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

/* What most packets are not, at the cost of a few comparisons. */
static __always_inline _Bool failsafe_may_exempt(const struct packet *packet)
{
	/* Remembered ports exempt no later fragment. */
	if ((hook.features & HOOK_REMEMBERS_FIRST) && !(packet->known & PACKET_TRANSPORT))
		return 0;
	if ((packet->known & PACKET_PORTS) && (hook.features & HOOK_FAILSAFE_PEERS) &&
	    failsafe_has_port(packet))
		return 1;
	return failsafe_link_kind(packet) != FAILSAFE_NONE;
}

#endif

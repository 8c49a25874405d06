/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * What a node needs to stay in its cluster, exempt from policies that don't disable it: neighbour
 * discovery, DHCP, and with peers given by the agent's settings kubelet, API server and the
 * overlay's control traffic. ARP is no IP, so it passes anyway.
 *
 * Told narrowly, since anybody can send what looks like it: ND by its types and hop limit 255
 * (RFC 4861: such a packet was not forwarded), DHCP by both ports, the others by port and peer.
 * What can't be read is none of it. It has generous buckets of its own, so that it is no way round
 * a limit: beyond them it is judged as all other traffic.
 */
#ifndef TB_FAILSAFE_H
#define TB_FAILSAFE_H

#include <linux/in.h>
#include <bpf/bpf_endian.h>

#include "hook.h"
#include "maps.h"
#include "packet.h"

/* One bucket for what anybody can send, so that a flood of it leaves the peers' bucket alone. */
enum failsafe_slot {
	FAILSAFE_LINK_SLOT = MAX_SLOTS - 2,
	FAILSAFE_PEER_SLOT = MAX_SLOTS - 1,
};

#define ND_FIRST_TYPE 133 /* router solicitation */
#define ND_LAST_TYPE 137  /* redirect */
#define ND_HOP_LIMIT 255

#define DHCP_PAIR(source, destination)                                                             \
	((__u32)bpf_htons(source) << 16 | (__u32)bpf_htons(destination))

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

/* Pinned a hook. Written per CPU by the classifier alone, summed by the agent. */
struct failsafe_counters {
	__u64 exempt_packets;
	__u64 exceed_packets; /* beyond the failsafes' own buckets: judged by the policies */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct failsafe_counters);
} failsafe_counters SEC(".maps");

static __always_inline _Bool failsafe_is_link(const struct packet *packet)
{
	__u32 ports = (__u32)packet->source_port << 16 | packet->destination_port;

	if (packet->protocol == IPPROTO_UDP) {
		if (packet->version == 4)
			return ports == DHCP_PAIR(68, 67) || ports == DHCP_PAIR(67, 68);
		return ports == DHCP_PAIR(546, 547) || ports == DHCP_PAIR(547, 546);
	}
	return packet->protocol == IPPROTO_ICMPV6 && packet->version == 6 &&
	       packet->hop_limit == ND_HOP_LIMIT && packet->icmp_type >= ND_FIRST_TYPE &&
	       packet->icmp_type <= ND_LAST_TYPE;
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
					       const struct packet *packet, __u32 slot)
{
	struct policy_parameters *now_in_force = bpf_map_lookup_elem(&parameters, &slot);
	struct shared_bucket *shared = bpf_map_lookup_elem(&shared_buckets, &slot);
	struct failsafe_counters *count;
	_Bool conforms;
	__u32 only = 0;

	count = bpf_map_lookup_elem(&failsafe_counters, &only);
	if (!now_in_force || !shared || !count)
		return 0;
	conforms = bucket_judge(source, &shared->bucket, now_in_force,
				(__u64)packet->segments << AXIS_PACKET_SHIFT) == BUCKET_CONFORM;
	if (conforms)
		count->exempt_packets += packet->segments;
	else
		count->exceed_packets += packet->segments;
	return conforms;
}

/*
 * A packet that is taken for failsafe traffic: rare, so a function of its own keeps it out of the
 * way of all other packets.
 */
__noinline int failsafe_exempts(struct clock_source *source, struct packet *packet)
{
	if (!source || !packet)
		return 0;
	if (failsafe_is_link(packet))
		return failsafe_conforms(source, packet, FAILSAFE_LINK_SLOT);
	if ((hook.features & HOOK_FAILSAFE_PEERS) && failsafe_is_peer(packet))
		return failsafe_conforms(source, packet, FAILSAFE_PEER_SLOT);
	return 0;
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
	if (!(packet->known & PACKET_PORTS))
		return packet->icmp_type >= ND_FIRST_TYPE;
	if ((hook.features & HOOK_FAILSAFE_PEERS) && failsafe_has_port(packet))
		return 1;
	return failsafe_is_link(packet);
}

#endif

/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Ports, or ICMP type and code, of fragmented datagrams. Only the first fragment carries them. A
 * later fragment is judged like its first fragment, found by the addresses and the datagram's
 * identification. The fields stay unknown, so that match[] matches, when there is no memory, when a
 * later fragment came before the first one, or when the entry was pushed out.
 *
 * The memory accepts a sender's word only from a first fragment that the host's reassembly would
 * take; otherwise a sender could put another first fragment, which the memory does not know, in its
 * place. If two first fragments contradict each other within the life of an entry, neither counts.
 * An entry lives for less time than reassembly waits for the rest.
 */
#ifndef TB_FRAGMENTS_H
#define TB_FRAGMENTS_H

#include <linux/ip.h>
#include <linux/ipv6.h>

#include "clock.h"
#include "context.h"
#include "hook.h"

#define FRAGMENT_LIFE 2000000000ULL

/* Shortest payload of a fragment that has more fragments to come, in bytes. */
#define FRAGMENT_UNIT 8

struct fragment_key {
	__u32 source[4];
	__u32 destination[4];
	__be32 identification;
	/* VLAN tag that the kernel keeps beside the frame. */
	__u16 tag;
	/* IPv4 only: a later IPv6 fragment has no trustworthy protocol. */
	__u8 protocol;
	__u8 version;
};

/*
 * protocol holds for both IP versions. Ports are zero for ICMP; type and code are zero for
 * protocols with ports.
 */
struct fragment_memory {
	__u64 since; /* clock_read() at the first fragment */
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 contradicted;
	__u8 icmp_type;
	__u8 icmp_code;
};

#define FRAGMENT_REMEMBERED (PACKET_PORTS | PACKET_ICMP)

/*
 * Belongs to one program; has one entry if the program needs neither ports nor ICMP fields. The
 * kernel hashes with its own seed and makes room by removing approximately the least recently used
 * entry. Any CPU writes, whole values at a time.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct fragment_key));
	__uint(value_size, sizeof(struct fragment_memory));
} fragments SEC(".maps");

static __always_inline _Bool fragment_sums_up(const struct iphdr *ip)
{
	const __u16 *half = (const __u16 *)ip;
	__u32 sum = 0;

	for (int i = 0; i < (int)(sizeof(*ip) / sizeof(*half)); i++)
		sum += half[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

static __always_inline _Bool fragment_is_taken_of_ipv4(struct packet_context *context,
						       const struct packet *packet, __u32 rest)
{
	struct iphdr ip;

	return context_read(context, packet->network, &ip, sizeof(ip)) && ip.ihl == 5 &&
	       bpf_ntohs(ip.tot_len) >= sizeof(ip) + FRAGMENT_UNIT &&
	       bpf_ntohs(ip.tot_len) <= rest && fragment_sums_up(&ip);
}

static __always_inline _Bool fragment_is_taken_of_ipv6(struct packet_context *context,
						       const struct packet *packet, __u32 rest)
{
	struct ipv6hdr ip;

	return context_read(context, packet->network, &ip, sizeof(ip)) &&
	       ip.nexthdr == IPPROTO_FRAGMENT && bpf_ntohs(ip.payload_len) >= 2 * FRAGMENT_UNIT &&
	       bpf_ntohs(ip.payload_len) % FRAGMENT_UNIT == 0 &&
	       sizeof(ip) + bpf_ntohs(ip.payload_len) <= rest;
}

/* Whether the host is sure to take this first fragment: plain, whole, and addressed to the host. */
static __always_inline _Bool fragment_is_taken(struct packet_context *context,
					       const struct packet *packet)
{
	__u32 rest = context_length(context) - packet->network;

	if (!context_is_own(context) || packet->network != (hook.ethernet ? ETH_HLEN : 0))
		return 0;
	return packet->version == 4 ? fragment_is_taken_of_ipv4(context, packet, rest)
				    : fragment_is_taken_of_ipv6(context, packet, rest);
}

static __always_inline void fragment_remember(struct packet_context *context,
					      const struct packet *packet,
					      const struct fragment_key *key,
					      const struct fragment_memory *before, __u64 now)
{
	struct fragment_memory memory = {.since = now,
					 .source_port = packet->source_port,
					 .destination_port = packet->destination_port,
					 .protocol = packet->protocol,
					 .icmp_type = packet->icmp_type,
					 .icmp_code = packet->icmp_code};

	if (!(packet->known & FRAGMENT_REMEMBERED) || !fragment_is_taken(context, packet))
		return;
	if (before && now - before->since < FRAGMENT_LIFE) {
		if (before->source_port == memory.source_port &&
		    before->destination_port == memory.destination_port &&
		    before->protocol == memory.protocol && before->icmp_type == memory.icmp_type &&
		    before->icmp_code == memory.icmp_code)
			return;
		memory.contradicted = 1;
	}
	bpf_map_update_elem(&fragments, key, &memory, BPF_ANY);
}

static __always_inline _Bool fragment_is_icmp(const struct fragment_memory *memory)
{
	return memory->protocol == IPPROTO_ICMP || memory->protocol == IPPROTO_ICMPV6;
}

static __always_inline void fragment_recall(struct packet *packet,
					    const struct fragment_memory *memory, __u64 now)
{
	if (!memory || memory->contradicted || now - memory->since >= FRAGMENT_LIFE)
		return;
	packet->protocol = memory->protocol;
	packet->source_port = memory->source_port;
	packet->destination_port = memory->destination_port;
	packet->icmp_type = memory->icmp_type;
	packet->icmp_code = memory->icmp_code;
	packet->known |= PACKET_PROTOCOL;
	packet->known |= fragment_is_icmp(memory) ? PACKET_ICMP : PACKET_PORTS;
}

/* Remembers or recalls for a PACKET_FRAGMENT. A separate function, because fragments are rare. */
__noinline int fragment_meet(struct packet_context *context, struct clock_source *source,
			     struct packet *packet)
{
	struct fragment_key key = {};
	struct fragment_memory *memory;

	if (!context || !source || !packet)
		return 0;
	__builtin_memcpy(key.source, packet->source, sizeof(key.source));
	__builtin_memcpy(key.destination, packet->destination, sizeof(key.destination));
	key.identification = packet->fragment;
	key.tag = context_tag(context);
	key.protocol = packet->version == 4 ? packet->protocol : 0;
	key.version = packet->version;
	memory = bpf_map_lookup_elem(&fragments, &key);
	if (packet->known & PACKET_TRANSPORT)
		fragment_remember(context, packet, &key, memory, clock_read(source));
	else
		fragment_recall(packet, memory, clock_read(source));
	return 0;
}

#endif

/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * From a frame to what the core asks of a packet. Everything here is the sender's word: what can't
 * be read is said to be unknown, never guessed.
 */
#ifndef TB_PARSE_H
#define TB_PARSE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>

#include "skb.h"

/* IPv6 extension headers that are walked; a packet with more has no known protocol. */
#define PARSE_MAX_EXTENSIONS 8

/* Those that uapi headers do not all name. */
#define IPV6_MOBILITY 135
#define IPV6_HIP 139
#define IPV6_SHIM6 140

#define IPV4_FRAGMENT_OFFSET 0x1fff /* host order, in 8 bytes */
#define IPV6_FRAGMENT_OFFSET 0xfff8

/* Where the IP header begins, and which it is: ETH_P_IP or ETH_P_IPV6 in network order, or else. */
struct network_header {
	__u32 offset;
	__be16 protocol;
};

static __always_inline _Bool parse_is_tag(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/*
 * Behind the Ethernet header and up to two tags in the frame; one more may be beside it. The type
 * is read from the frame: what a sender claims in the socket decides nothing on the wire.
 */
static __always_inline _Bool parse_ethernet(struct __sk_buff *skb, struct network_header *network)
{
	struct ethhdr *ethernet = skb_header(skb, 0, ETH_HLEN);

	if (!ethernet)
		return 0;
	network->offset = ETH_HLEN;
	network->protocol = ethernet->h_proto;
	for (int tags = 0; tags < 2 && parse_is_tag(network->protocol); tags++) {
		/* A tag is {identifier, type of what follows}. */
		if (!skb_read(skb, network->offset + 2, &network->protocol, 2))
			return 0;
		network->offset += VLAN_TAG_BYTES;
	}
	return 1;
}

/* Length of the headers that each merged segment has. */
static __always_inline __u32 parse_headers(struct __sk_buff *skb, __u32 transport,
					   const struct packet *packet)
{
	__u8 data_offset;

	if (!packet->has_protocol || packet->protocol != IPPROTO_TCP)
		return transport + sizeof(struct udphdr);
	if (!skb_read(skb, transport + 12, &data_offset, 1))
		return transport + sizeof(struct tcphdr);
	return transport + (data_offset >> 4) * 4;
}

/* The offset of the transport header. */
static __always_inline __u32 parse_ipv4(const struct iphdr *ip, __u32 offset, struct packet *packet)
{
	packet->version = 4;
	packet->source[0] = ip->saddr;
	packet->destination[0] = ip->daddr;
	packet->protocol = ip->protocol;
	packet->has_protocol = 1;
	packet->has_transport = !(ip->frag_off & bpf_htons(IPV4_FRAGMENT_OFFSET));
	return offset + ip->ihl * 4;
}

static __always_inline _Bool parse_is_extension(__u8 next)
{
	switch (next) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_FRAGMENT:
	case IPPROTO_AH:
	case IPPROTO_DSTOPTS:
	case IPV6_MOBILITY:
	case IPV6_HIP:
	case IPV6_SHIM6:
		return 1;
	default:
		return 0;
	}
}

static __always_inline __u32 parse_extension_length(__u8 type, __u8 length)
{
	if (type == IPPROTO_FRAGMENT)
		return 8;
	if (type == IPPROTO_AH)
		return (length + 2) * 4; /* RFC 4302: in 4 bytes, less 2 */
	return (length + 1) * 8;
}

/*
 * Walks extension headers to the transport header. A later fragment holds none of what its
 * Fragment header announces, so the walk ends there; the protocol is known where it is announced.
 */
static __always_inline __u32 parse_extensions(struct __sk_buff *skb, __u32 offset, __u8 next,
					      struct packet *packet)
{
	for (int i = 0; i < PARSE_MAX_EXTENSIONS && parse_is_extension(next); i++) {
		__u8 header[4];

		if (!skb_read(skb, offset, header, sizeof(header)))
			return offset;
		if (next == IPPROTO_FRAGMENT &&
		    (((__u32)header[2] << 8 | header[3]) & IPV6_FRAGMENT_OFFSET)) {
			packet->protocol = header[0];
			packet->has_protocol = !parse_is_extension(header[0]);
			return offset;
		}
		offset += parse_extension_length(next, header[1]);
		next = header[0];
	}
	packet->protocol = next;
	packet->has_protocol = !parse_is_extension(next);
	packet->has_transport = packet->has_protocol;
	return offset;
}

static __always_inline void parse_ports(struct __sk_buff *skb, __u32 transport,
					struct packet *packet)
{
	__be16 ports[2];

	if (!packet->has_transport)
		return;
	if (packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP &&
	    packet->protocol != IPPROTO_SCTP)
		return;
	if (!skb_read(skb, transport, ports, sizeof(ports)))
		return;
	packet->source_port = ports[0];
	packet->destination_port = ports[1];
}

static __always_inline void parse_ipv6(const struct ipv6hdr *ip, struct packet *packet)
{
	packet->version = 6;
	__builtin_memcpy(packet->source, &ip->saddr, sizeof(packet->source));
	__builtin_memcpy(packet->destination, &ip->daddr, sizeof(packet->destination));
}

static __always_inline _Bool parse_ipv4_packet(struct __sk_buff *skb, __u32 offset,
					       struct packet *packet, __u32 *transport)
{
	struct iphdr *ip = skb_header(skb, offset, sizeof(*ip));

	if (!ip || ip->version != 4)
		return 0;
	*transport = parse_ipv4(ip, offset, packet);
	return 1;
}

static __always_inline _Bool parse_ipv6_packet(struct __sk_buff *skb, __u32 offset, _Bool walk,
					       struct packet *packet, __u32 *transport)
{
	struct ipv6hdr *ip = skb_header(skb, offset, sizeof(*ip));
	__u8 next;

	if (!ip || ip->version != 6)
		return 0;
	next = ip->nexthdr;
	parse_ipv6(ip, packet);
	*transport = offset + sizeof(*ip);
	if (walk)
		*transport = parse_extensions(skb, *transport, next, packet);
	return 1;
}

/*
 * False for what is not IP, or has no whole fixed IP header. walk: what comes behind the fixed
 * header, ports too, is asked for; a merged packet's size asks for it by itself.
 */
static __always_inline _Bool parse_packet(struct __sk_buff *skb, _Bool has_ethernet, _Bool walk,
					  struct packet *packet)
{
	struct network_header network = {.protocol = skb->protocol};
	_Bool merged = skb->gso_size != 0;
	__u32 transport = 0;
	_Bool is_ip = 0;

	if (has_ethernet && !parse_ethernet(skb, &network))
		return 0;
	if (network.protocol == bpf_htons(ETH_P_IP))
		is_ip = parse_ipv4_packet(skb, network.offset, packet, &transport);
	else if (network.protocol == bpf_htons(ETH_P_IPV6))
		is_ip = parse_ipv6_packet(skb, network.offset, walk || merged, packet, &transport);
	if (!is_ip)
		return 0;
	if (walk)
		parse_ports(skb, transport, packet);
	skb_measure(skb, merged ? parse_headers(skb, transport, packet) : transport, packet);
	return 1;
}

#endif

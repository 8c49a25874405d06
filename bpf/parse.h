/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Reads from a frame the fields that the core needs of a packet. Everything here is the sender's
 * word: an unreadable field is marked as unknown, never guessed.
 */
#ifndef TB_PARSE_H
#define TB_PARSE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>

#include "context.h"
#include "hook.h"

/*
 * Number of IPv6 extension headers that the walk reads. A packet with more has no known protocol.
 */
#define PARSE_MAX_EXTENSIONS 8

/* Extension headers that not all uapi headers name. */
#define IPV6_MOBILITY 135
#define IPV6_HIP 139
#define IPV6_SHIM6 140

/* RFC 2675 */
#define IPV6_JUMBO_BYTES 8

/* Length of an IP packet; a longer packet counts as this length. */
#define MAX_LENGTH 65535

#define TCP_DATA_OFFSET 12
#define TCP_FLAGS_OFFSET 13
#define IPV4_FRAGMENT_OFFSET 0x1fff /* host order, in 8 bytes */
#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV6_FRAGMENT_OFFSET 0xfff8
#define IPV6_MORE_FRAGMENTS 0x0001

/*
 * A fragment at offset 1 may rewrite the TCP flags, in bytes 8 to 15, if a receiver lets fragments
 * overlap (RFC 1858). Fragments further back open no connection.
 */
#define PARSE_FLAGS_FRAGMENT 1

/*
 * Number of tags in the frame that the walk reads. The kernel strips any number, if their VID is 0.
 */
#define PARSE_MAX_TAGS 8

enum parse_result {
	PARSE_NOT_IP,
	PARSE_IP,
	/* A frame with too many tags, or with a tag that does not say what follows. May be IP. */
	PARSE_UNREADABLE,
};

/* Where the IP header begins, and its type: ETH_P_IP or ETH_P_IPV6 in network order, or another. */
struct network_header {
	__u32 offset;
	__be16 protocol;
};

static __always_inline _Bool parse_is_tag(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/*
 * Walks past the Ethernet header and its tags. Returns {offset, type of the next header} in one
 * number, negative if the type can't be read. A global function keeps the walk out of the path of
 * untagged frames.
 */
__noinline int parse_tags(struct packet_context *context)
{
	__u32 offset = ETH_HLEN;
	__be16 protocol;

	if (!context)
		return -1;
#pragma clang loop unroll(full)
	for (int tags = 0; tags < PARSE_MAX_TAGS; tags++) {
		/* A tag is {identifier, type of the next header}. */
		if (!context_read(context, offset + 2, &protocol, sizeof(protocol)))
			return -1;
		offset += VLAN_TAG_BYTES;
		if (!parse_is_tag(protocol))
			return offset << 16 | protocol;
	}
	return -1;
}

/*
 * The type of an Ethernet header that does not lie in one piece; negative if there is no such
 * header.
 */
__noinline int parse_scattered_type(struct packet_context *context)
{
	__be16 type;

	if (!context ||
	    !context_read(context, offsetof(struct ethhdr, h_proto), &type, sizeof(type)))
		return -1;
	return type;
}

/*
 * Finds the header after the Ethernet header and the tags in the frame; one more tag may be kept
 * beside the frame. The type is read from the frame, because a sender's claim in the socket decides
 * nothing on the wire.
 */
static __always_inline enum parse_result parse_ethernet(struct packet_context *context,
							struct network_header *network)
{
	struct ethhdr *ethernet = context_header(context, 0, ETH_HLEN);
	int type = ethernet ? ethernet->h_proto : parse_scattered_type(context);
	int behind;

	if (type < 0)
		return PARSE_NOT_IP;
	network->offset = ETH_HLEN;
	network->protocol = type;
	if (!parse_is_tag(network->protocol))
		return PARSE_IP;
	behind = parse_tags(context);
	if (behind < 0)
		return PARSE_UNREADABLE;
	network->offset = behind >> 16;
	network->protocol = behind;
	return PARSE_IP;
}

/*
 * The packet type on a link without a header, from the version in the first byte. The receiving
 * kernel looks at the same byte; a type kept beside the packet is the sender's word. A global
 * function, so that the verifier walks the code after it once.
 */
__noinline int parse_headless(struct packet_context *context)
{
	__u8 first;

	if (!context || !context_read(context, 0, &first, sizeof(first)))
		return 0;
	switch (first >> 4) {
	case 4:
		return bpf_htons(ETH_P_IP);
	case 6:
		return bpf_htons(ETH_P_IPV6);
	default:
		return 0;
	}
}

/* Fills the packet from an IPv4 header; returns the offset of the transport header. */
static __always_inline __u32 parse_ipv4(const struct iphdr *ip, __u32 offset, __u32 features,
					struct packet *packet)
{
	__u32 flags = bpf_ntohs(ip->frag_off), fragment = flags & IPV4_FRAGMENT_OFFSET;

	packet->version = 4;
	packet->source[0] = ip->saddr;
	packet->destination[0] = ip->daddr;
	packet->protocol = ip->protocol;
	packet->known = PACKET_PROTOCOL;
	if (features & HOOK_FAILSAFE)
		packet->hop_limit = ip->ttl;
	if (features & HOOK_MATCHES_DSCP)
		packet->dscp = ip->tos >> DSCP_SHIFT;
	if (features & HOOK_MATCHES_LENGTH)
		packet->length = ip->tot_len;
	if (!fragment)
		packet->known |= PACKET_TRANSPORT;
	else if (fragment > PARSE_FLAGS_FRAGMENT)
		packet->known |= PACKET_CONNECTION;
	if ((features & HOOK_TELLS_FRAGMENTS) && (fragment || (flags & IPV4_MORE_FRAGMENTS))) {
		packet->known |= PACKET_FRAGMENT;
		packet->fragment = ip->id;
	}
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
		return (length + 2) * 4; /* RFC 4302: units of 4 bytes, minus 2 */
	return (length + 1) * 8;
}

/*
 * Reads one extension header of this type. Returns {next header, its offset} in one number,
 * negative if the walk ends here. A global function, so that the verifier walks it once, whatever
 * the number of headers.
 */
__noinline int parse_extension(struct packet_context *context, __u32 offset, __u32 type,
			       struct packet *packet)
{
	__u32 flags, fragment;
	__u8 header[4];

	if (!context || !packet)
		return -1;
	if (!context_read(context, offset, header, sizeof(header))) {
		packet->known = 0;
		return -1;
	}
	flags = (__u32)header[2] << 8 | header[3];
	fragment = flags & IPV6_FRAGMENT_OFFSET;
	if (type == IPPROTO_FRAGMENT && (hook.features & HOOK_TELLS_FRAGMENTS) &&
	    (fragment || (flags & IPV6_MORE_FRAGMENTS)) &&
	    context_read(context, offset + 4, &packet->fragment, sizeof(packet->fragment)))
		packet->known = PACKET_FRAGMENT;
	if (type == IPPROTO_FRAGMENT && fragment) {
		if (fragment >> 3 > PARSE_FLAGS_FRAGMENT)
			packet->known |= PACKET_CONNECTION;
		return -1;
	}
	return header[0] << 16 | (offset + parse_extension_length(type, header[1]));
}

/*
 * Walks extension headers to the transport header. If the walk's limit ends on an extension header,
 * the protocol is unknown. A later fragment holds none of the headers that its Fragment header
 * announces, and a receiver takes the announcement from the first fragment alone (RFC 8200, 4.5):
 * the protocol is unknown there, too.
 */
static __always_inline __u32 parse_extensions(struct packet_context *context, __u32 offset,
					      __u8 next, struct packet *packet)
{
#pragma clang loop unroll(disable)
	for (int i = 0; i < PARSE_MAX_EXTENSIONS && parse_is_extension(next); i++) {
		int behind = parse_extension(context, offset, next, packet);

		if (behind < 0)
			return offset;
		offset = behind & 0xffff;
		next = behind >> 16;
	}
	if (parse_is_extension(next)) {
		packet->known = 0;
		return offset;
	}
	packet->protocol = next;
	packet->known |= PACKET_PROTOCOL | PACKET_TRANSPORT;
	return offset;
}

static __always_inline void parse_tcp_flags(struct packet_context *context, __u32 transport,
					    struct packet *packet)
{
	__u8 flags;

	if (!context_read(context, transport + TCP_FLAGS_OFFSET, &flags, 1))
		return;
	packet->known |= PACKET_CONNECTION;
	packet->tcp_flags = flags;
}

static __always_inline void parse_ports(struct packet_context *context, __u32 transport,
					struct packet *packet)
{
	__be16 ports[2];

	if (!context_read(context, transport, ports, sizeof(ports)))
		return;
	packet->known |= PACKET_PORTS;
	packet->source_port = ports[0];
	packet->destination_port = ports[1];
}

static __always_inline void parse_icmp(struct packet_context *context, __u32 transport,
				       struct packet *packet)
{
	__u8 icmp[2];

	if (!context_read(context, transport, icmp, sizeof(icmp)))
		return;
	packet->known |= PACKET_ICMP;
	packet->icmp_type = icmp[0];
	packet->icmp_code = icmp[1];
}

/* Reads the fields of the transport header that the hook's features ask for. */
static __always_inline void parse_transport(struct packet_context *context, __u32 transport,
					    __u32 features, struct packet *packet)
{
	if (!(packet->known & PACKET_TRANSPORT))
		return;
	switch (packet->protocol) {
	case IPPROTO_TCP:
		if (features & HOOK_READS_TCP_FLAGS)
			parse_tcp_flags(context, transport, packet);
		/* fallthrough */
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		parse_ports(context, transport, packet);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (features & HOOK_READS_ICMP)
			parse_icmp(context, transport, packet);
		break;
	default:
		break;
	}
}

/* Length of the headers that each segment of a merged packet has. */
static __always_inline __u32 parse_merged_headers(struct packet_context *context, __u32 transport,
						  const struct packet *packet)
{
	__u8 data_offset;

	if (!(packet->known & PACKET_PROTOCOL) || packet->protocol != IPPROTO_TCP)
		return transport + sizeof(struct udphdr);
	if (!context_read(context, transport + TCP_DATA_OFFSET, &data_offset, 1))
		return transport + sizeof(struct tcphdr);
	return transport + (data_offset >> 4) * 4;
}

/*
 * Parses an IPv4 header that does not lie in one piece, which is rare. Returns the transport
 * header's offset, or -1.
 */
__noinline int parse_scattered_ipv4(struct packet_context *context, __u32 offset,
				    struct packet *packet)
{
	struct iphdr ip;

	if (!context || !packet || !context_read(context, offset, &ip, sizeof(ip)) ||
	    ip.version != 4)
		return -1;
	return parse_ipv4(&ip, offset, hook.features, packet);
}

static __always_inline _Bool parse_ipv4_packet(struct packet_context *context, __u32 offset,
					       __u32 features, struct packet *packet,
					       __u32 *transport)
{
	struct iphdr *ip = context_header(context, offset, sizeof(*ip));
	int behind;

	if (ip && ip->version != 4)
		return 0;
	behind = ip ? (int)parse_ipv4(ip, offset, features, packet)
		    : parse_scattered_ipv4(context, offset, packet);
	*transport = behind;
	return behind >= 0;
}

/*
 * The packet's length according to the fixed header. If the fixed header holds no length and
 * options follow, which may hold one, the host takes all of the frame.
 */
static __always_inline __be16 parse_ipv6_length(struct packet_context *context,
						const struct ipv6hdr *ip, __u32 offset)
{
	__u32 length = bpf_ntohs(ip->payload_len) + sizeof(*ip);

	if (!ip->payload_len && ip->nexthdr == IPPROTO_HOPOPTS)
		length = context_length(context) - offset;
	return bpf_htons(length < MAX_LENGTH ? length : MAX_LENGTH);
}

/* Fills the packet from a fixed IPv6 header; returns the type of the next header. */
static __always_inline __u8 parse_ipv6(struct packet_context *context, const struct ipv6hdr *ip,
				       __u32 offset, __u32 features, struct packet *packet)
{
	packet->version = 6;
	if (features & HOOK_MATCHES_DSCP)
		packet->dscp = (__u8)(ip->priority << 4 | ip->flow_lbl[0] >> 4) >> DSCP_SHIFT;
	if (features & HOOK_MATCHES_LENGTH)
		packet->length = parse_ipv6_length(context, ip, offset);
	packet->hop_limit = ip->hop_limit;
	__builtin_memcpy(packet->source, &ip->saddr, sizeof(packet->source));
	__builtin_memcpy(packet->destination, &ip->daddr, sizeof(packet->destination));
	return ip->nexthdr;
}

/* The type of the header after a fixed IPv6 header that does not lie in one piece, or -1. */
__noinline int parse_scattered_ipv6(struct packet_context *context, __u32 offset,
				    struct packet *packet)
{
	struct ipv6hdr ip;

	if (!context || !packet || !context_read(context, offset, &ip, sizeof(ip)) ||
	    ip.version != 6)
		return -1;
	return parse_ipv6(context, &ip, offset, hook.features, packet);
}

static __always_inline _Bool parse_ipv6_packet(struct packet_context *context, __u32 offset,
					       __u32 features, _Bool walk, struct packet *packet,
					       __u32 *transport)
{
	struct ipv6hdr *ip = context_header(context, offset, sizeof(*ip));
	int next;

	if (ip && ip->version != 6)
		return 0;
	next = ip ? parse_ipv6(context, ip, offset, features, packet)
		  : parse_scattered_ipv6(context, offset, packet);
	if (next < 0)
		return 0;
	*transport = offset + sizeof(*ip);
	if (walk)
		*transport = parse_extensions(context, *transport, next, packet);
	return 1;
}

/* Fills the packet for a frame that may still be IP, and of which only the size is known. */
static __always_inline enum parse_result parse_unreadable(struct packet_context *context,
							  struct packet *packet)
{
	packet->version = PACKET_UNREADABLE;
	context_measure(context, ETH_HLEN, packet);
	return PARSE_UNREADABLE;
}

/*
 * Bytes of a merged packet's headers that no segment has on the wire. The kernel itself puts a
 * hop-by-hop header with the length in front of IPv6 packets of more than 64 KiB (BIG TCP), and
 * removes this header when it cuts the packets. A separate function, because most packets are not
 * merged.
 */
__noinline int parse_surplus(struct packet_context *context, __u32 offset)
{
	struct jumbo {
		struct ipv6hdr ip;
		__u8 next;
		__u8 length;
		__u8 type;
	} jumbo;

	if (!context || !context_read(context, offset, &jumbo, sizeof(jumbo)))
		return 0;
	return jumbo.ip.version == 6 && !jumbo.ip.payload_len &&
		       jumbo.ip.nexthdr == IPPROTO_HOPOPTS && !jumbo.length &&
		       jumbo.type == IPV6_TLV_JUMBO
		   ? IPV6_JUMBO_BYTES
		   : 0;
}

static __always_inline __be16 parse_merged_length(struct packet_context *context, __u32 offset,
						  __u32 headers)
{
	__u32 segment = headers + context_segment_size(context),
	      all = context_length(context) - offset;

	segment = segment < all ? segment : all;
	return bpf_htons(segment < MAX_LENGTH ? segment : MAX_LENGTH);
}

static __always_inline void parse_measure_merged(struct packet_context *context, __u32 offset,
						 __u32 transport, __u32 features,
						 struct packet *packet)
{
	__u32 headers = parse_merged_headers(context, transport, packet), surplus = 0;

	context_measure(context, headers, packet);
	if (packet->version == 6)
		surplus = parse_surplus(context, offset);
	packet->bytes -= (__u64)packet->segments * surplus;
	if (features & HOOK_MATCHES_LENGTH)
		packet->length = parse_merged_length(context, offset, headers - surplus - offset);
}

/*
 * Parses a frame into packet. A frame without a whole fixed IP header is PARSE_NOT_IP, too.
 * features are the hook's features, which say which headers after the fixed one are needed; the
 * size of a merged packet needs these headers in any case.
 */
static __always_inline enum parse_result parse_packet(struct packet_context *context,
						      _Bool has_ethernet, __u32 features,
						      struct packet *packet)
{
	struct network_header network = {};
	_Bool merged = context_is_merged(context);
	_Bool walk = features & HOOK_WALKS;
	__u32 transport = 0;
	_Bool is_ip = 0;

	if (!has_ethernet)
		network.protocol = parse_headless(context);
	else if (parse_ethernet(context, &network) == PARSE_UNREADABLE)
		return parse_unreadable(context, packet);
	if (network.protocol == bpf_htons(ETH_P_IP))
		is_ip = parse_ipv4_packet(context, network.offset, features, packet, &transport);
	else if (network.protocol == bpf_htons(ETH_P_IPV6))
		is_ip = parse_ipv6_packet(context, network.offset, features, walk || merged, packet,
					  &transport);
	if (!is_ip)
		return PARSE_NOT_IP;
	packet->network = network.offset;
	if (walk)
		parse_transport(context, transport, features, packet);
	if (merged)
		parse_measure_merged(context, network.offset, transport, features, packet);
	else
		context_measure(context, transport, packet);
	return PARSE_IP;
}

#endif

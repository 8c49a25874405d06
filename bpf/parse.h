/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* From a frame to what the core asks of a packet. */
#ifndef TB_PARSE_H
#define TB_PARSE_H

#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>

#include "skb.h"

/* Length of the headers that each merged segment has: a tcp or udp header behind its own offset. */
static __always_inline __u32 parse_headers(struct __sk_buff *skb, __u32 transport, __u8 protocol)
{
	__u8 data_offset;

	if (protocol != IPPROTO_TCP)
		return transport + sizeof(struct udphdr);
	if (!skb_read(skb, transport + 12, &data_offset, 1))
		return transport + sizeof(struct tcphdr);
	return transport + (data_offset >> 4) * 4;
}

static __always_inline void parse_size(struct __sk_buff *skb, _Bool egress, __u32 transport,
				       __u8 protocol, struct packet *packet)
{
	__u32 headers = transport;

	if (skb->gso_size)
		headers = parse_headers(skb, transport, protocol);
	skb_measure(skb, egress, headers, packet);
}

static __always_inline _Bool parse_ipv4(struct __sk_buff *skb, _Bool egress, struct packet *packet)
{
	void *frame = skb_header(skb, ETH_HLEN + sizeof(struct iphdr));
	struct iphdr *ip = frame + ETH_HLEN;

	if (!frame || ip->version != 4)
		return 0;
	packet->version = 4;
	packet->source[0] = ip->saddr;
	parse_size(skb, egress, ETH_HLEN + ip->ihl * 4, ip->protocol, packet);
	return 1;
}

static __always_inline _Bool parse_ipv6(struct __sk_buff *skb, _Bool egress, struct packet *packet)
{
	void *frame = skb_header(skb, ETH_HLEN + sizeof(struct ipv6hdr));
	struct ipv6hdr *ip = frame + ETH_HLEN;

	if (!frame || ip->version != 6)
		return 0;
	packet->version = 6;
	__builtin_memcpy(packet->source, &ip->saddr, sizeof(packet->source));
	parse_size(skb, egress, ETH_HLEN + sizeof(*ip), ip->nexthdr, packet);
	return 1;
}

/* False for what is not IP, or has no whole fixed IP header. */
static __always_inline _Bool parse_packet(struct __sk_buff *skb, _Bool egress,
					  struct packet *packet)
{
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return parse_ipv4(skb, egress, packet);
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return parse_ipv6(skb, egress, packet);
	return 0;
}

#endif

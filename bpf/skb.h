/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Context access for tc programs: all code that depends on struct __sk_buff. */
#ifndef TB_SKB_H
#define TB_SKB_H

#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/if_vlan.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "clock.h"
#include "packet.h"

/* The name that parsing and judgement use for the context. */
#define packet_context __sk_buff

#define CONTEXT_SECTION "tc"

/* A packet that passes continues to the next program on the hook. */
#define CONTEXT_PASS TC_ACT_UNSPEC
#define CONTEXT_DROP TC_ACT_SHOT

#define VLAN_TAG_BYTES 4

static __always_inline _Bool context_is_merged(const struct packet_context *skb)
{
	return skb->gso_size != 0;
}

/* Largest offset of headers that are read in place: an Ethernet header and tags come before. */
#define SKB_MAX_OFFSET 64

/*
 * Both ends are loaded again each time: clang takes values kept in a register for 32-bit numbers.
 */
static __always_inline void *skb_linear(struct packet_context *skb, __u32 offset, __u32 length)
{
	void *header = (void *)(long)*(volatile __u32 *)&skb->data + offset;

#ifdef TB_SCATTERED /* for tests: no header lies in one piece */
	return NULL;
#endif
	return header + length <= (void *)(long)*(volatile __u32 *)&skb->data_end ? header : NULL;
}

/*
 * The frame's own bytes at offset; NULL if the frame is too short or the bytes do not lie in one
 * piece. In the second case context_read() still reads them. Nothing is pulled together, because
 * that can fail for lack of memory. length is a constant.
 */
static __always_inline void *context_header(struct packet_context *skb, __u32 offset, __u32 length)
{
	return offset <= SKB_MAX_OFFSET ? skb_linear(skb, offset, length) : NULL;
}

/* Copies length bytes, a constant, from offset, even from outside the linear part. */
static __always_inline _Bool context_read(struct packet_context *skb, __u32 offset, void *to,
					  __u32 length)
{
	void *from;

	from = context_header(skb, offset, length);
	if (from) {
		__builtin_memcpy(to, from, length);
		return 1;
	}
	return bpf_skb_load_bytes(skb, offset, to, length) == 0;
}

/* Whether the frame is addressed to the host, or the host has sent it. */
static __always_inline _Bool context_is_own(const struct packet_context *skb)
{
	return skb->pkt_type == PACKET_HOST || skb->pkt_type == PACKET_OUTGOING;
}

static __always_inline __u32 context_interface(const struct packet_context *skb)
{
	return skb->ifindex;
}

/* The tag that the kernel keeps beside the frame. */
static __always_inline __u16 context_tag(const struct packet_context *skb)
{
	return skb->vlan_present ? skb->vlan_tci : 0;
}

static __always_inline __u32 context_length(const struct packet_context *skb)
{
	return skb->len;
}

/* Payload of each full segment of a merged packet. */
static __always_inline __u32 context_segment_size(const struct packet_context *skb)
{
	return skb->gso_size;
}

/* gso_segs or, if a device left that zero, the number of gso_size pieces in the payload. */
static __always_inline __u32 skb_segments(struct packet_context *skb, __u32 headers)
{
	__u32 size = skb->gso_size;

	if (skb->gso_segs)
		return skb->gso_segs;
	return size && skb->len > headers ? (skb->len - headers + size - 1) / size : 1;
}

/*
 * Measures segments and L2 bytes, in the same way for both directions. len holds one set of
 * headers; each further segment has its own on the wire. len does not include a tag that the kernel
 * keeps beside the frame.
 */
static __always_inline void context_measure(struct packet_context *skb, __u32 headers,
					    struct packet *packet)
{
	__u32 tag = skb->vlan_present ? VLAN_TAG_BYTES : 0;
	__u32 segments = skb_segments(skb, headers);

	packet->segments = segments;
	packet->bytes = skb->len + (__u64)(segments - 1) * headers + (__u64)segments * tag;
}

/* The time that the caller put on the packet, under TB_CLOCK_FROM_TIMESTAMP. */
static __always_inline struct clock_source context_clock(const struct packet_context *skb)
{
	struct clock_source source = {};

#ifdef TB_CLOCK_FROM_TIMESTAMP
	source.timestamp = skb->tstamp;
	source.late_ticks = skb->mark;
#endif
	return source;
}

/*
 * Writes two bytes of an IPv4 header, and corrects the header's checksum at check. The checksum
 * absorbs the change, so the sum over the whole packet stays the same.
 *
 * bpf_skb_ecn_set_ce() would not do: it refuses a packet whose data is shared, which is the case
 * while a capture is open. The helpers that write here first give this packet its own data.
 */
static __always_inline _Bool context_write_ipv4(struct packet_context *skb, __u32 offset,
						__u32 check, __u16 from, __u16 to)
{
	return !bpf_l3_csum_replace(skb, check, from, to, sizeof(to)) &&
	       !bpf_skb_store_bytes(skb, offset, &to, sizeof(to), 0);
}

/*
 * Writes two bytes that no checksum of the packet covers. The flag corrects a sum that the device
 * took over the packet.
 */
static __always_inline _Bool context_write(struct packet_context *skb, __u32 offset, __u16 to)
{
	return !bpf_skb_store_bytes(skb, offset, &to, sizeof(to), BPF_F_RECOMPUTE_CSUM);
}

#endif

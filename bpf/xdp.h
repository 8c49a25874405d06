/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Context access for XDP programs: all code that depends on struct xdp_md. A frame comes as the
 * device received it: never merged, and without a tag that the device has stripped. A frame of
 * several buffers is one frame.
 */
#ifndef TB_XDP_H
#define TB_XDP_H

#include <linux/bpf.h>
#include <linux/if_vlan.h>
#include <bpf/bpf_helpers.h>

#include "clock.h"
#include "packet.h"

/* The name that parsing and judgement use for the context. */
#define packet_context xdp_md

/* The suffix says that the program takes frames of several buffers. */
#define CONTEXT_SECTION "xdp.frags"

#define CONTEXT_PASS XDP_PASS
#define CONTEXT_DROP XDP_DROP

#define VLAN_TAG_BYTES 4

/* Largest offset of headers that are read in place: an Ethernet header and tags come before. */
#define XDP_MAX_OFFSET 64

static __always_inline _Bool context_is_merged(const struct packet_context *xdp)
{
	return 0;
}

/*
 * Both ends are loaded again each time: clang takes values kept in a register for 32-bit numbers.
 */
static __always_inline void *xdp_linear(struct packet_context *xdp, __u32 offset, __u32 length)
{
	void *header = (void *)(long)*(volatile __u32 *)&xdp->data + offset;

#ifdef TB_SCATTERED /* for tests: no header lies in one piece */
	return NULL;
#endif
	return header + length <= (void *)(long)*(volatile __u32 *)&xdp->data_end ? header : NULL;
}

/*
 * The frame's own bytes at offset; NULL if the frame is too short or the bytes are not in its first
 * buffer. In the second case context_read() still reads them. length is a constant.
 */
static __always_inline void *context_header(struct packet_context *xdp, __u32 offset, __u32 length)
{
	return offset <= XDP_MAX_OFFSET ? xdp_linear(xdp, offset, length) : NULL;
}

/* Copies length bytes, a constant, from offset, even from another buffer than the first. */
static __always_inline _Bool context_read(struct packet_context *xdp, __u32 offset, void *to,
					  __u32 length)
{
	void *from;

	from = context_header(xdp, offset, length);
	if (from) {
		__builtin_memcpy(to, from, length);
		return 1;
	}
	return bpf_xdp_load_bytes(xdp, offset, to, length) == 0;
}

/*
 * Whether the frame is surely addressed to the host. XDP runs before the kernel compares the
 * address with the device's, so no frame is.
 */
static __always_inline _Bool context_is_own(const struct packet_context *xdp)
{
	return 0;
}

/* The tag that the device has stripped is not visible. */
static __always_inline __u16 context_tag(const struct packet_context *xdp)
{
	return 0;
}

static __always_inline __u32 context_interface(const struct packet_context *xdp)
{
	return xdp->ingress_ifindex;
}

static __always_inline __u32 context_length(struct packet_context *xdp)
{
	return bpf_xdp_get_buff_len(xdp);
}

/* Payload of each full segment of a merged packet, of which there is none. */
static __always_inline __u32 context_segment_size(const struct packet_context *xdp)
{
	return 0;
}

static __always_inline void context_measure(struct packet_context *xdp, __u32 headers,
					    struct packet *packet)
{
	packet->segments = 1;
	packet->bytes = context_length(xdp);
}

/*
 * The time that the caller put before the packet, as metadata, under TB_CLOCK_FROM_TIMESTAMP. A
 * packet without metadata comes at time zero.
 */
static __always_inline struct clock_source context_clock(const struct packet_context *xdp)
{
	struct clock_source source = {};

#ifdef TB_CLOCK_FROM_TIMESTAMP
	struct clock_source *given = (void *)(long)xdp->data_meta;

	if ((void *)(given + 1) <= (void *)(long)xdp->data)
		source = *given;
#endif
	return source;
}

static __always_inline _Bool context_write(struct packet_context *xdp, __u32 offset, __u16 to)
{
	return !bpf_xdp_store_bytes(xdp, offset, &to, sizeof(to));
}

/* The checksum after a word of the header has changed: equation 3 of RFC 1624. */
static __always_inline __u16 xdp_checksum(__u16 check, __u16 from, __u16 to)
{
	__u32 sum = (__u16)~check + (__u16)~from + (__u32)to;

	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16));
}

/* Writes two bytes of an IPv4 header, and corrects the header's checksum at check. */
static __always_inline _Bool context_write_ipv4(struct packet_context *xdp, __u32 offset,
						__u32 check, __u16 from, __u16 to)
{
	__u16 sum;

	return context_read(xdp, check, &sum, sizeof(sum)) &&
	       context_write(xdp, check, xdp_checksum(sum, from, to)) &&
	       context_write(xdp, offset, to);
}

#endif

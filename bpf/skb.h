/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Context access for tc programs: everything that knows of struct __sk_buff. */
#ifndef TB_SKB_H
#define TB_SKB_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

#include "packet.h"

/* Copies length bytes at offset; also from outside the linear part. */
static __always_inline _Bool skb_read(struct __sk_buff *skb, __u32 offset, void *to, __u32 length)
{
	return bpf_skb_load_bytes(skb, offset, to, length) == 0;
}

/* The frame's own bytes where they are linear, pulled there if need be; NULL if there are too few.
 */
static __always_inline void *skb_header(struct __sk_buff *skb, __u32 length)
{
	void *data = (void *)(long)skb->data;

	if (data + length <= (void *)(long)skb->data_end)
		return data;
	if (skb->len < length || bpf_skb_pull_data(skb, length))
		return NULL;
	data = (void *)(long)skb->data;
	return data + length <= (void *)(long)skb->data_end ? data : NULL;
}

/*
 * Segments and L2 bytes. On egress wire_len holds every segment's headers already; on ingress len
 * holds one set of headers, and each further merged segment had its own.
 */
static __always_inline void skb_measure(struct __sk_buff *skb, _Bool egress, __u32 headers,
					struct packet *packet)
{
	__u32 segments = skb->gso_segs;

	if (!segments) {
		__u32 size = skb->gso_size;

		segments = size && skb->len > headers ? (skb->len - headers + size - 1) / size : 1;
	}
	packet->segments = segments;
	if (segments == 1)
		packet->bytes = skb->len;
	else if (egress)
		packet->bytes = skb->wire_len;
	else
		packet->bytes = skb->len + (__u64)(segments - 1) * headers;
}

#endif

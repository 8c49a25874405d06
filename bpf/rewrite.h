/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Rewrites the byte that IPv4 calls TOS and IPv6 calls traffic class: DSCP in the upper six bits
 * (RFC 2474), ECN in the lower two (RFC 3168).
 */
#ifndef TB_REWRITE_H
#define TB_REWRITE_H

#include <linux/ip.h>

#include "context.h"
#include "packet.h"

#define ECN_MASK 0x03
#define ECN_CE 0x03

/* The first two bytes of an IP header hold the class in both versions. */
struct traffic_class {
	__u8 byte[2];
	__u8 value;
};

static __always_inline _Bool rewrite_read(struct packet_context *context,
					  const struct packet *packet, struct traffic_class *class)
{
	if (packet->version == PACKET_UNREADABLE ||
	    !context_read(context, packet->network, class->byte, sizeof(class->byte)))
		return 0;
	class->value = packet->version == 4 ? class->byte[1]
					    : (__u8)(class->byte[0] << 4) | class->byte[1] >> 4;
	return 1;
}

static __always_inline _Bool rewrite_ipv4(struct packet_context *context,
					  const struct packet *packet,
					  const struct traffic_class *old, __u8 value)
{
	__u8 new[2] = {old->byte[0], value};
	__u16 from, to;

	__builtin_memcpy(&from, old->byte, sizeof(from));
	__builtin_memcpy(&to, new, sizeof(to));
	return context_write_ipv4(context, packet->network,
				  packet->network + offsetof(struct iphdr, check), from, to);
}

/* IPv6 has no header checksum. */
static __always_inline _Bool rewrite_ipv6(struct packet_context *context,
					  const struct packet *packet,
					  const struct traffic_class *old, __u8 value)
{
	__u8 new[2] = {(old->byte[0] & 0xf0) | value >> 4, value << 4 | (old->byte[1] & 0x0f)};
	__u16 to;

	__builtin_memcpy(&to, new, sizeof(to));
	return context_write(context, packet->network, to);
}

static __always_inline _Bool rewrite_class(struct packet_context *context,
					   const struct packet *packet,
					   const struct traffic_class *old, __u8 value)
{
	if (old->value == value)
		return 1;
	return packet->version == 4 ? rewrite_ipv4(context, packet, old, value)
				    : rewrite_ipv6(context, packet, old, value);
}

static __always_inline _Bool rewrite_is_ecn_capable(struct packet_context *context,
						    const struct packet *packet)
{
	struct traffic_class class;

	return rewrite_read(context, packet, &class) && (class.value & ECN_MASK);
}

static __always_inline _Bool rewrite_set_ce(struct packet_context *context,
					    const struct packet *packet)
{
	struct traffic_class class;

	return rewrite_read(context, packet, &class) &&
	       rewrite_class(context, packet, &class, class.value | ECN_CE);
}

static __always_inline _Bool rewrite_set_dscp(struct packet_context *context,
					      const struct packet *packet, __u8 dscp)
{
	struct traffic_class class;

	return rewrite_read(context, packet, &class) &&
	       rewrite_class(context, packet, &class,
			     dscp << DSCP_SHIFT | (class.value & ECN_MASK));
}

#endif

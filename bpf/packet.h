/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What the core knows of a packet, whatever kind of context it came in. */
#ifndef TB_PACKET_H
#define TB_PACKET_H

#include <linux/types.h>

/* Of what may be unreadable, what was read (struct packet, known). */
#define PACKET_PROTOCOL (1 << 0) /* the walk to the transport header came to its end */
#define PACKET_TRANSPORT                                                                           \
	(1 << 1) /* the transport header begins in this packet: no later fragment */
#define PACKET_PORTS (1 << 2)
#define PACKET_CONNECTION                                                                          \
	(1 << 3) /* whether it opens a connection: by the flags of TCP, or a later fragment */

#define PACKET_FRAGMENT                                                                            \
	(1 << 4) /* one of several of a datagram; told where the hook asks for it alone */

#define PACKET_ICMP (1 << 5) /* type and code */

/* The version of a frame that may be IP, and can't be read; all else of it is zero. */
#define PACKET_UNREADABLE 1

/* In TOS and traffic class DSCP is above ECN. */
#define DSCP_SHIFT 2

/*
 * Of a tunnel's packet: the outer header. Written by parse.h alone; one CPU's, on its stack. Where
 * known does not say otherwise, protocol, ports and what follows them are zero and mean nothing.
 */
struct packet {
	__u32 source[4];      /* network order; IPv4 in [0], the rest zero */
	__u32 destination[4]; /* likewise */
	__u64 bytes;	      /* L2 frame without FCS, all segments of a merged packet */
	__u32 segments; /* packets on the wire: 1, or those merged by GRO or to be cut by GSO */
	__u16 network;	/* offset of the IP header */
	__be16
	    length; /* of the IP packet, of a merged one's full segments, where it is asked for */
	__be16 source_port; /* TCP, UDP, SCTP; zero where there is none to read */
	__be16 destination_port;
	__u8 version; /* 4, 6 or PACKET_UNREADABLE; never zero, by which keys are told from none */
	__u8 protocol;
	__u8 known;
	__u8 tcp_flags; /* zero where there are none to read */
	__u8 hop_limit; /* of IPv4 only where failsafes are on */
	__u8 icmp_type; /* of ICMP and ICMPv6, where it is asked for; else 0, as the code */
	__u8 icmp_code;
	__u8 dscp;	 /* where it is asked for */
	__be32 fragment; /* the datagram's identification, of a PACKET_FRAGMENT */
};

#endif

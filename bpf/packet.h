/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What the core knows of a packet, whatever kind of context it came in. */
#ifndef TB_PACKET_H
#define TB_PACKET_H

#include <linux/types.h>

/* Of a tunnel's packet: the outer header. */
struct packet {
	__u32 source[4];      /* network order; IPv4 in [0], the rest zero */
	__u32 destination[4]; /* likewise */
	__u64 bytes;	      /* L2 frame without FCS, all segments of a merged packet */
	__u32 segments;	    /* packets on the wire: 1, or those merged by GRO or to be cut by GSO */
	__be16 source_port; /* TCP, UDP, SCTP; zero where there is none to read */
	__be16 destination_port;
	__u8 version;	    /* 4 or 6 */
	__u8 protocol;	    /* of the transport header; meant where has_protocol */
	__u8 has_protocol;  /* the walk to the transport header came to its end */
	__u8 has_transport; /* its first byte is in this packet: not a later fragment */
};

#endif

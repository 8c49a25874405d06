/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What the core knows of a packet, whatever kind of context it came in. */
#ifndef TB_PACKET_H
#define TB_PACKET_H

#include <linux/types.h>

struct packet {
	__u32 source[4]; /* network order; IPv4 in source[0], the rest zero */
	__u64 bytes;	 /* L2 frame without FCS, all segments of a merged packet */
	__u32 segments;	 /* packets on the wire: 1, or those merged by GRO or to be cut by GSO */
	__u8 version;	 /* 4 or 6 */
};

#endif

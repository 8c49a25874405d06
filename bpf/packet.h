/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What the core knows about a packet, whatever kind of context the packet came in. */
#ifndef TB_PACKET_H
#define TB_PACKET_H

#include <linux/types.h>

/* Bits of packet.known: which of the fields that may be unreadable were read. */

/* The walk to the transport header reached its end. */
#define PACKET_PROTOCOL (1 << 0)

/* The transport header begins in this packet, so the packet is no later fragment. */
#define PACKET_TRANSPORT (1 << 1)

#define PACKET_PORTS (1 << 2)

/*
 * Whether the packet opens a connection is known: from the TCP flags, or because the packet is a
 * later fragment.
 */
#define PACKET_CONNECTION (1 << 3)

/* The packet is one of several fragments of a datagram. Set only if the hook asks for it. */
#define PACKET_FRAGMENT (1 << 4)

/* ICMP type and code. */
#define PACKET_ICMP (1 << 5)

/*
 * Version of a frame that may be IP but can't be read. The frame's addresses and header fields are
 * zero.
 */
#define PACKET_UNREADABLE 1

/* In the TOS and traffic class byte, DSCP is above ECN. */
#define DSCP_SHIFT 2

/*
 * For a tunnelled packet, the fields of the outer header. Only parse.h and fragments.h write the
 * struct, which lives on one CPU's stack. Unless known says otherwise, protocol, ports and the
 * fields after them are zero and mean nothing.
 */
struct packet {
	__u32 source[4];      /* network order; IPv4 in [0], the rest zero */
	__u32 destination[4]; /* likewise */
	__u64 bytes;	      /* L2 frame without FCS, all segments of a merged packet */
	__u32 segments; /* packets on the wire: 1, or those merged by GRO or to be cut by GSO */
	__u16 network;	/* offset of the IP header */
	/*
	 * Length of the IP packet, or of a full segment of a merged packet. Set if the hook asks
	 * for it.
	 */
	__be16 length;
	/* Ports of TCP, UDP or SCTP; zero if there are none to read. */
	__be16 source_port;
	__be16 destination_port;
	/* 4, 6 or PACKET_UNREADABLE. Never zero, which distinguishes a key from an empty one. */
	__u8 version;
	__u8 protocol;
	__u8 known;
	/* Zero if there are none to read. */
	__u8 tcp_flags;
	/* For IPv4, set only if failsafes are on. */
	__u8 hop_limit;
	/* ICMP or ICMPv6 type and code if the hook asks for them, else zero. */
	__u8 icmp_type;
	__u8 icmp_code;
	/* Set if the hook asks for it. */
	__u8 dscp;
	/* Identification of the datagram, for a PACKET_FRAGMENT. */
	__be32 fragment;
};

#endif

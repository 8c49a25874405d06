/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The outcome of a packet, for a command that replays a capture or explains a packet and reads the
 * report after each run. Only replay.bpf.c has the report; the program of a hook contains none of
 * it.
 */
#ifndef TB_REPORT_H
#define TB_REPORT_H

#include "packet.h"

/*
 * The report of the last run. The thread that runs the program writes it, and the same thread reads
 * it between runs. Addresses and ports are as in struct packet; version is 0 if the frame held no
 * IP.
 */
struct packet_report {
	/* Policies that match[] and exempt[] select for the packet, one bit each, in order. */
	__u64 matched;
	/* Policies that judged the packet, one bit each, by slot. */
	__u64 judged;
	/* Judged policies that the packet exceeded. */
	__u64 exceeded;
	/* Judged policies whose overflow bucket judged the packet. */
	__u64 overflowed;
	/* Exceeded policies that passed the packet with CE or DSCP, or would have under Audit. */
	__u64 marked;
	/* Exceeded policies whose parent bucket alone refused the packet. */
	__u64 parent_exceeded;
	__u64 bytes;
	__u32 source[4];
	__u32 destination[4];
	__u32 segments;
	__be16 source_port;
	__be16 destination_port;
	__u8 version;
	__u8 protocol;
	/* 1 if ports could be read, or were remembered. */
	__u8 has_ports;
	/*
	 * 1 if the packet was exempt, as failsafe traffic, from policies that don't disable the
	 * failsafe.
	 */
	__u8 failsafe;
	__u8 pad[4];
};

#ifdef TB_REPORT

struct packet_report packet_report SEC(".data.report") = {};

static __always_inline void report_packet(const struct packet *packet, __u64 policies)
{
	packet_report = (struct packet_report){
	    .matched = policies,
	    .bytes = packet->bytes,
	    .segments = packet->segments,
	    .source_port = packet->source_port,
	    .destination_port = packet->destination_port,
	    .version = packet->version,
	    .protocol = packet->protocol,
	    .has_ports = !!(packet->known & PACKET_PORTS),
	};
	for (int i = 0; i < 4; i++) {
		packet_report.source[i] = packet->source[i];
		packet_report.destination[i] = packet->destination[i];
	}
}

static __always_inline void report_failsafe(void)
{
	packet_report.failsafe = 1;
}

/* In a replay, the slots of all policies are below 64. */
static __always_inline void report_verdict(__u32 slot, _Bool exceeds, _Bool overflow, _Bool marked,
					   _Bool by_parent)
{
	__u64 bit = 1ULL << (slot & 63);

	packet_report.judged |= bit;
	if (exceeds)
		packet_report.exceeded |= bit;
	if (overflow)
		packet_report.overflowed |= bit;
	if (marked)
		packet_report.marked |= bit;
	if (by_parent)
		packet_report.parent_exceeded |= bit;
}

#else

static __always_inline void report_packet(const struct packet *packet, __u64 policies)
{
}

static __always_inline void report_failsafe(void)
{
}

static __always_inline void report_verdict(__u32 slot, _Bool exceeds, _Bool overflow, _Bool marked,
					   _Bool by_parent)
{
}

#endif

#endif

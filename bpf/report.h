/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * What became of a packet, for who replays a capture or explains a packet: read after each run. It
 * is in the object for that alone (replay.bpf.c); the program of a hook has nothing of it.
 */
#ifndef TB_REPORT_H
#define TB_REPORT_H

#include "packet.h"

/*
 * Of the last run. Written by the one thread that runs the program, read by the same one between
 * runs. Addresses and ports as in struct packet; version is 0 where the frame held no IP.
 */
struct packet_report {
	__u64 matched;	  /* policies that match[] and exempt[] let judge it, a bit each in order */
	__u64 judged;	  /* policies that did judge it, a bit each by slot */
	__u64 exceeded;	  /* of these */
	__u64 overflowed; /* of these: by the bucket of those that found no place */
	__u64 marked;	  /* of those exceeded: passed with CE or DSCP; would have, under Audit */
	__u64 bytes;
	__u32 source[4];
	__u32 destination[4];
	__u32 segments;
	__be16 source_port;
	__be16 destination_port;
	__u8 version;
	__u8 protocol;
	__u8 has_ports; /* ports could be read, or were remembered */
	__u8 failsafe;	/* 1: exempt as failsafe traffic from policies that don't disable it */
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

/* slot: below 64 of all policies of a replay. */
static __always_inline void report_verdict(__u32 slot, _Bool exceeds, _Bool overflow, _Bool marked)
{
	__u64 bit = 1ULL << (slot & 63);

	packet_report.judged |= bit;
	if (exceeds)
		packet_report.exceeded |= bit;
	if (overflow)
		packet_report.overflowed |= bit;
	if (marked)
		packet_report.marked |= bit;
}

#else

static __always_inline void report_packet(const struct packet *packet, __u64 policies)
{
}

static __always_inline void report_failsafe(void)
{
}

static __always_inline void report_verdict(__u32 slot, _Bool exceeds, _Bool overflow, _Bool marked)
{
}

#endif

#endif

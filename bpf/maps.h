/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The maps that outlive a program: which code writes them, and how long they live. */
#ifndef TB_MAPS_H
#define TB_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "reservation.h"

/*
 * Number of slots on a host, over all hooks. A policy has one slot in each of the maps below; a
 * policy that marks packets has a second slot for its second window, and one with a parent bucket
 * has a second slot for that bucket. The last slots belong to the failsafes, one per kind
 * (failsafe.h).
 */
enum slot_limit { MAX_SLOTS = 259 };

/*
 * An address, masked to the policy's prefix length. IPv4 is in word[0]; version keeps IPv4 and IPv6
 * keys apart. Padding fills whole words of 8 bytes: the kernel compares these at once, and any rest
 * byte by byte.
 */
struct bucket_key {
	__u32 word[4];
	__u32 version;
	__u32 pad;
} __attribute__((aligned(8)));

/*
 * Either a 5-tuple, whose ports are zero if a packet has no readable ones; or a pair of addresses,
 * each masked to the policy's prefix length as in bucket_key, with ports and protocol zero.
 */
struct flow_key {
	__u32 source[4];
	__u32 destination[4];
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 version;
	__u8 pad[2];
} __attribute__((aligned(8)));

/*
 * A bucket that all CPUs share. Each bucket has its own cache line, so that policies do not slow
 * one another.
 */
struct shared_bucket {
	struct bucket bucket;
	__u64 pad[5];
};

/*
 * Only the classifier writes the counters, per CPU; the agent reads and sums them. The agent zeroes
 * a slot's counters before another policy uses the slot. 64 bytes: one cache line.
 */
struct verdict_counters {
	__u64 conform_packets;
	__u64 conform_bytes;
	__u64 exceed_packets;
	__u64 exceed_bytes;
	/* Exceeding packets that lost the race for the bucket too often. */
	__u64 contended_packets;
	/*
	 * Packets that found no place, or whose bucket was being removed: the overflow bucket
	 * judged them.
	 */
	__u64 overflow_packets;
	/* Exceeding packets that passed with CE or DSCP, or would have under Audit. */
	__u64 marked_packets;
	/* Exceeding packets whose own bucket had conformed: the parent bucket refused them. */
	__u64 parent_exceed_packets;
};

/*
 * Per CPU: the classifier counts added. A CPU that removes a key counts removed, atomically,
 * since a packet may interrupt sweep.bpf.c. The agent zeroes these like verdict_counters.
 */
struct table_counters {
	__u64 added;
	__u64 removed;
};

/* Pinned, host-wide. parameters.bpf.c writes it, and the agent does before a slot's first use. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SLOTS);
	__type(key, __u32);
	__type(value, struct policy_parameters);
} parameters SEC(".maps");

/*
 * Pinned, host-wide. For a policy per Node or Interface, and for a parent, the slot's only bucket;
 * otherwise the overflow bucket, for packets that found no place in the table. The agent zeroes a
 * bucket, which makes it full, before the slot's first use.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SLOTS);
	__type(key, __u32);
	__type(value, struct shared_bucket);
} shared_buckets SEC(".maps");

/* Pinned, host-wide: what each CPU holds of a slot's shared bucket (reservation.h). */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_SLOTS);
	__type(key, __u32);
	__type(value, struct reservation);
} reservations SEC(".maps");

/* Pinned, host-wide: how many buckets a slot's table gained and lost. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_SLOTS);
	__type(key, __u32);
	__type(value, struct table_counters);
} table_counters SEC(".maps");

/* Pinned per hook, so that a policy's counters are known per interface and direction. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_SLOTS);
	__type(key, __u32);
	__type(value, struct verdict_counters);
} counters SEC(".maps");

/*
 * Pinned per hook: frames that are not IP, or have no whole IP header. These frames pass, and no
 * other counter shows them.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} not_ip SEC(".maps");

#endif

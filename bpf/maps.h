/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The maps that outlive a program: who writes them, and how long they live. */
#ifndef TB_MAPS_H
#define TB_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "reservation.h"

/*
 * Slots on a host, over all hooks. A policy has one in each of the maps below, one that marks
 * packets has a second for its second window; the last are of the failsafes, one a kind
 * (failsafe.h).
 */
enum slot_limit { MAX_SLOTS = 259 };

/*
 * An address under the policy's prefix length. IPv4 in word[0]; no IPv6 packet has IPv4's version.
 * Padded to whole words of 8 bytes, which the kernel compares at once, and the rest byte by byte.
 */
struct bucket_key {
	__u32 word[4];
	__u32 version;
	__u32 pad;
} __attribute__((aligned(8)));

/*
 * A 5-tuple; ports are zero where a packet has none that can be read. Or a pair of addresses under
 * the policy's prefix length, each as in bucket_key; ports and protocol are zero.
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

/* A bucket that all CPUs share; a cache line each, so that policies do not slow one another. */
struct shared_bucket {
	struct bucket bucket;
	__u64 pad[5];
};

/*
 * Written per CPU by the classifier alone, read and summed by the agent; zeroed by the agent
 * before a slot is used by another policy. 64 bytes: one cache line.
 */
struct verdict_counters {
	__u64 conform_packets;
	__u64 conform_bytes;
	__u64 exceed_packets;
	__u64 exceed_bytes;
	__u64 contended_packets; /* of the exceeding ones: lost the race for the bucket too often */
	__u64 overflow_packets;	 /* found no place, or a bucket being removed: judged by the shared
				    one */
	__u64 marked_packets;	 /* of the exceeding ones: passed with CE or DSCP; would have, under
				    Audit */
	__u64 reserved;
};

/* Per CPU: added to by the classifier, removed by sweep.bpf.c. Zeroed as verdict_counters are. */
struct table_counters {
	__u64 added;
	__u64 removed;
};

/* Pinned, host-wide. Written by parameters.bpf.c, and by the agent before a slot's first use. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SLOTS);
	__type(key, __u32);
	__type(value, struct policy_parameters);
} parameters SEC(".maps");

/*
 * Pinned, host-wide. Per Node or Interface: the bucket. Else: the bucket of those that found no
 * place in the table. Zeroed (full) by the agent before a slot's first use.
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

/* Pinned, host-wide: how many buckets a slot's table got and lost. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_SLOTS);
	__type(key, __u32);
	__type(value, struct table_counters);
} table_counters SEC(".maps");

/* Pinned a hook, so that a policy's counters are known per interface and direction. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_SLOTS);
	__type(key, __u32);
	__type(value, struct verdict_counters);
} counters SEC(".maps");

/* Pinned a hook: frames that are not IP, or have no whole IP header; they pass uncounted else. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} not_ip SEC(".maps");

#endif

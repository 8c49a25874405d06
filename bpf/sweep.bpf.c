// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * Removes buckets that are full: an expired window equals no window. The agent lists candidates,
 * for user space can't compare-and-swap an element of a hash; this program looks at each again.
 * Run by the agent alone, through BPF_PROG_RUN, one at a time.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>

#include "tables.h"

#define SWEEP_KEYS 512

/* Written by the agent before a run; of an address key the first 24 bytes are meant. */
struct sweep_keys {
	struct flow_key key[SWEEP_KEYS];
};

/* Unpinned: of this program alone. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sweep_keys);
} sweep_keys SEC(".maps");

struct sweep_request {
	__u32 slot;	  /* of the table */
	__u32 parameters; /* of the parameters: another slot where the table is a second window's */
	__u32 keys;
	__u32 flows; /* the slot's table is in flow_tables, else in bucket_tables */
	struct clock_source clock;
};

static __always_inline __u32 sweep_table(const struct sweep_request *request, void *table,
					 const struct sweep_keys *keys,
					 const struct policy_parameters *now_in_force)
{
	__u32 removed = 0;

	for (__u32 i = 0; i < SWEEP_KEYS && i < request->keys; i++) {
		const struct flow_key *key = &keys->key[i];
		struct bucket *bucket = bpf_map_lookup_elem(table, key);

		/* The clock anew each time: pos may be of a moment after an earlier reading. */
		if (bucket && bucket_mark_full(bucket, now_in_force, clock_read(&request->clock)) &&
		    !bpf_map_delete_elem(table, key))
			removed++;
	}
	return removed;
}

static __always_inline __u32 sweep_count(__u32 slot, __u32 removed)
{
	struct table_counters *count = bpf_map_lookup_elem(&table_counters, &slot);

	if (count)
		count->removed += removed;
	return removed;
}

/* How many were removed; -ENOENT: no such slot, or it has no table. */
SEC("syscall")
int sweep(struct sweep_request *request)
{
	__u32 slot = request->slot, in_force = request->parameters, only = 0;
	struct policy_parameters *now_in_force = bpf_map_lookup_elem(&parameters, &in_force);
	struct sweep_keys *keys = bpf_map_lookup_elem(&sweep_keys, &only);
	void *table;

	if (!now_in_force || !keys)
		return -ENOENT;
	if (request->flows) {
		table = bpf_map_lookup_elem(&flow_tables, &slot);
		return table ? sweep_count(slot, sweep_table(request, table, keys, now_in_force))
			     : -ENOENT;
	}
	table = bpf_map_lookup_elem(&bucket_tables, &slot);
	return table ? sweep_count(slot, sweep_table(request, table, keys, now_in_force)) : -ENOENT;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * Removes buckets that are full: an expired window equals no window. The agent lists candidates,
 * and this program checks each one again, because user space can't compare-and-swap an element of a
 * hash. Only the agent runs it, through BPF_PROG_RUN, one run at a time.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "tables.h"

enum sweep_limit { SWEEP_KEYS = 512 };

/* The agent writes the keys before a run. Of an address key, only the first 24 bytes count. */
struct sweep_keys {
	struct flow_key key[SWEEP_KEYS];
};

/* Not pinned: it belongs to this program alone. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sweep_keys);
} sweep_keys SEC(".maps");

struct sweep_request {
	__u32 slot; /* slot of the table */
	/* Slot of the parameters: another slot if the table belongs to a second window. */
	__u32 parameters;
	__u32 keys;
	/* Whether the slot's table is in flow_tables; otherwise it is in bucket_tables. */
	__u32 flows;
	struct clock_source clock;
};

/* Removes one key. */
static __always_inline int sweep_key(__u32 slot, void *table, const struct flow_key *key, int words,
				     struct policy_parameters *now_in_force,
				     const struct clock_source *clock)
{
	__u32 *found = bpf_map_lookup_elem(table, key), index;
	struct place *place;
	__u64 pos;

	if (!found)
		return 0;
	index = *found;
	place = place_at(slot, index);
	/* If the key is not there yet, the CPU that adds it is not done. */
	return place && place_position(place, (const __u64 *)key, words, &pos) &&
	       table_remove(clock, table, slot, index, place, pos, words, now_in_force);
}

/*
 * Whether key number i was removed. A global function, so that the verifier walks it once, not once
 * per key.
 */
__noinline int sweep_one(__u32 i, __u32 slot, __u32 in_force, __u32 flows, __u64 timestamp)
{
	struct clock_source clock = {.timestamp = timestamp};
	struct policy_parameters *now_in_force = bpf_map_lookup_elem(&parameters, &in_force);
	__u32 only = 0;
	struct sweep_keys *keys = bpf_map_lookup_elem(&sweep_keys, &only);
	void *table;

	if (!now_in_force || !keys || i >= SWEEP_KEYS)
		return 0;
	if (flows) {
		table = bpf_map_lookup_elem(&flow_tables, &slot);
		return table ? sweep_key(slot, table, &keys->key[i], FLOW_KEY_WORDS, now_in_force,
					 &clock)
			     : 0;
	}
	table = bpf_map_lookup_elem(&bucket_tables, &slot);
	return table
		   ? sweep_key(slot, table, &keys->key[i], ADDRESS_KEY_WORDS, now_in_force, &clock)
		   : 0;
}

/*
 * Returns the number of removed buckets; zero if there is no such slot, or the slot has no table.
 */
SEC("syscall")
int sweep(struct sweep_request *request)
{
	__u32 slot = request->slot, removed = 0;

	for (__u32 i = 0; i < SWEEP_KEYS && i < request->keys; i++)
		removed += sweep_one(i, slot, request->parameters, request->flows,
				     request->clock.timestamp);
	return removed;
}

char _license[] SEC("license") = "GPL";

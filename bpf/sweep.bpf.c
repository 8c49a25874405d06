// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * Removes buckets that are full: an expired window equals no window. The agent lists candidates,
 * for user space can't compare-and-swap an element of a hash; this program looks at each again.
 * Run by the agent alone, through BPF_PROG_RUN, one at a time.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "tables.h"

enum sweep_limit { SWEEP_KEYS = 512 };

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

/* The order matters: nobody finds the place any more when it is freed. */
static __always_inline int sweep_key(__u32 slot, void *table, const struct flow_key *key,
				     __u32 last_word, struct policy_parameters *now_in_force,
				     const struct clock_source *clock)
{
	__u32 *found = bpf_map_lookup_elem(table, key), index;
	struct place *place;

	if (!found)
		return 0;
	index = *found;
	place = place_at(slot, index);
	/* Whoever adds it is not done: its last word would outlive it. */
	if (!place || !*(volatile __u64 *)&place->key[last_word])
		return 0;
	/* The clock anew each time: pos may be of a moment after an earlier reading. */
	if (!bucket_mark_full(clock, &place->bucket, now_in_force) ||
	    bpf_map_delete_elem(table, key))
		return 0;
	*(volatile __u64 *)&place->key[last_word] = 0;
	place_free(slot, index);
	return 1;
}

/*
 * Whether key number i was removed. A global function, so that the verifier walks it once and not
 * once a key.
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
		return table ? sweep_key(slot, table, &keys->key[i], FLOW_KEY_WORDS - 1,
					 now_in_force, &clock)
			     : 0;
	}
	table = bpf_map_lookup_elem(&bucket_tables, &slot);
	return table ? sweep_key(slot, table, &keys->key[i], ADDRESS_KEY_WORDS - 1, now_in_force,
				 &clock)
		     : 0;
}

static __always_inline __u32 sweep_count(__u32 slot, __u32 removed)
{
	struct table_counters *count = bpf_map_lookup_elem(&table_counters, &slot);

	if (count)
		count->removed += removed;
	return removed;
}

/* How many were removed; none where there is no such slot, or it has no table. */
SEC("syscall")
int sweep(struct sweep_request *request)
{
	__u32 slot = request->slot, removed = 0;

	for (__u32 i = 0; i < SWEEP_KEYS && i < request->keys; i++)
		removed += sweep_one(i, slot, request->parameters, request->flows,
				     request->clock.timestamp);
	return sweep_count(slot, removed);
}

char _license[] SEC("license") = "GPL";

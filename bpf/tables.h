/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The tables of buckets: one a slot, put into an array of maps by the agent before the slot's first
 * use, and taken out a grace period after its last. One table a policy, so that an element reused
 * while a late packet still holds it stays on the same policy's axis.
 *
 * All are pinned, host-wide and preallocated. Elements are added by the classifier and removed by
 * sweep.bpf.c; of the evicting ones (onFull: EvictOldest) the kernel removes about the least
 * recently used when it needs room, debtors too, so the bound does not hold for what it evicts.
 */
#ifndef TB_TABLES_H
#define TB_TABLES_H

#include "maps.h"

/* What the kernel wants to know of the tables in an array of maps; the agent chooses their size. */
#define TABLE_SHAPE(name, kind, key_struct)                                                        \
	struct name {                                                                              \
		__uint(type, kind);                                                                \
		__uint(max_entries, 1);                                                            \
		__uint(key_size, sizeof(struct key_struct));                                       \
		__uint(value_size, sizeof(struct bucket));                                         \
	}

#define TABLES(shape)                                                                              \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                          \
		__uint(max_entries, MAX_SLOTS);                                                    \
		__type(key, __u32);                                                                \
		__array(values, struct shape);                                                     \
	}

TABLE_SHAPE(bucket_table, BPF_MAP_TYPE_HASH, bucket_key);
TABLE_SHAPE(flow_table, BPF_MAP_TYPE_HASH, flow_key);
TABLE_SHAPE(evicting_bucket_table, BPF_MAP_TYPE_LRU_HASH, bucket_key);
TABLE_SHAPE(evicting_flow_table, BPF_MAP_TYPE_LRU_HASH, flow_key);

TABLES(bucket_table) bucket_tables SEC(".maps");
TABLES(flow_table) flow_tables SEC(".maps");
TABLES(evicting_bucket_table) evicting_bucket_tables SEC(".maps");
TABLES(evicting_flow_table) evicting_flow_tables SEC(".maps");

static __always_inline void table_count_added(__u32 slot)
{
	struct table_counters *count = bpf_map_lookup_elem(&table_counters, &slot);

	if (count)
		count->added++;
}

/*
 * The bucket of a key, made full where there is none: its window ends at V(now). Two CPUs with a
 * key's first packets both look up what is there after the insert, so both use the one element
 * that won. NULL where the table is full, whatever the reason given.
 */
static __always_inline struct bucket *table_bucket(const struct clock_source *source, void *table,
						   __u32 slot, const void *key,
						   const struct policy_parameters *parameters)
{
	struct bucket *bucket;
	struct bucket full;

	if (!table)
		return NULL;
	bucket = bpf_map_lookup_elem(table, key);
	if (bucket)
		return bucket;
	full = bucket_full(parameters, clock_read(source));
	if (!bpf_map_update_elem(table, key, &full, BPF_NOEXIST))
		table_count_added(slot);
	return bpf_map_lookup_elem(table, key);
}

#endif

/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The tables of buckets: one per slot. The agent makes a table before the slot's first use, and
 * releases it a grace period after the slot's last use. Each policy has its own table, so that a
 * late packet's lim, stored to a reused place, is on the same axis. All tables are pinned,
 * host-wide and preallocated.
 *
 * A bucket lies beside its key in a place, which is an index into arrays. The entry of a hash map
 * holds only that index: a key's bucket is the one that its entry names. But the look-up in the
 * hash map would be most of the cost of a packet. So a hint is read first: by a hash of the key,
 * the place that was last found there. The place's own key shows whether the hint is right, so a
 * hint may be old, torn, or another key's, without harm.
 *
 * Adding: a free place gets a full bucket and all of the key but its last word. Then the entry is
 * made; if several CPUs have a key's first packets, one of them wins. Then the last word is written
 * by an exchange, a full barrier. So no hint leads to the bucket of a CPU that lost, nor to one
 * that is half written. The loser frees its place, and all use the winner's.
 *
 * Removing: only sweep.bpf.c removes, and only keys whose last word is set. It marks the bucket,
 * removes the entry, zeroes the last word, and frees the place. A packet reads the bucket's
 * position before the place's key. A late packet meets the mark, or loses its compare-and-swap and
 * looks its key up again, and so spends no other key's tokens. The remaining races are worth one
 * packet: a position that recurs, if a bucket is removed and another made within a moment, or a CPU
 * that reorders two loads.
 *
 * Under onFull: EvictOldest, the kernel removes approximately the least recently used bucket when
 * it needs room, debtors too, so the bound does not hold for an evicted bucket. The kernel reports
 * no eviction, so there the entries of the hash maps hold the buckets themselves.
 */
#ifndef TB_TABLES_H
#define TB_TABLES_H

#include "places.h"

/* The agent chooses the sizes. Keys of flows and of pairs are wide: flow_key. */
INNER(bucket_table, BPF_MAP_TYPE_HASH, 1, sizeof(struct bucket_key), sizeof(__u32));
INNER(flow_table, BPF_MAP_TYPE_HASH, 1, sizeof(struct flow_key), sizeof(__u32));
INNER(evicting_bucket_table, BPF_MAP_TYPE_LRU_HASH, 1, sizeof(struct bucket_key),
      sizeof(struct bucket));
INNER(evicting_flow_table, BPF_MAP_TYPE_LRU_HASH, 1, sizeof(struct flow_key),
      sizeof(struct bucket));
OUTER(bucket_table, MAX_SLOTS) bucket_tables SEC(".maps");
OUTER(flow_table, MAX_SLOTS) flow_tables SEC(".maps");
OUTER(evicting_bucket_table, MAX_SLOTS) evicting_bucket_tables SEC(".maps");
OUTER(evicting_flow_table, MAX_SLOTS) evicting_flow_tables SEC(".maps");

static __always_inline void table_count_added(__u32 slot)
{
	struct table_counters *count = bpf_map_lookup_elem(&table_counters, &slot);

	if (count)
		count->added++;
}

/*
 * Makes the entry of a key that has none, with a full bucket, whose window ends at V(now). Does
 * nothing if there is no place, or if another CPU made the entry meanwhile. The key's last word is
 * written after the entry is made, so that no hint leads to the bucket of a CPU that lost.
 */
static __always_inline void table_add(const struct clock_source *source, void *table, __u32 slot,
				      const union table_key *key, int words,
				      struct policy_parameters *parameters)
{
	struct place *place;
	__u32 index;

	if (!place_take(slot, &index))
		return;
	place = place_at(slot, index);
	if (!place)
		return;
	place->bucket = bucket_full(parameters, clock_read(source));
	for (int i = 0; i < words - 1; i++)
		place->key[i] = key->word[i];
	if (bpf_map_update_elem(table, key, &index, BPF_NOEXIST)) {
		place_free(slot, index);
		return;
	}
	__sync_lock_test_and_set(&place->key[words - 1], key->word[words - 1]);
	table_count_added(slot);
}

/*
 * Waits until the place is the key's; false if it is not after the last try. A CPU that makes an
 * entry makes the key valid right after.
 */
static __always_inline _Bool table_await_key(__u32 slot, __u32 index, const union table_key *key,
					     int words)
{
	struct place *place = place_at(slot, index & (MAX_PLACES - 1));
	__u64 pos;

	if (!place)
		return 0;
#pragma clang loop unroll(disable)
	for (int try = 0; try < BUCKET_TRIES; try++) {
		if (place_position(place, key->word, words, &pos))
			return 1;
	}
	return 0;
}

static __always_inline int table_find_or_add(const struct clock_source *source, void *table,
					     __u32 slot, const union table_key *key, int words,
					     struct policy_parameters *parameters)
{
	__u32 *entry, index;

	if (!table)
		return -1;
	entry = bpf_map_lookup_elem(table, key);
	if (!entry) {
		table_add(source, table, slot, key, words, parameters);
		/* Two CPUs with a key's first packets both take the entry that exists now. */
		entry = bpf_map_lookup_elem(table, key);
	}
	if (!entry)
		return -1;
	index = *entry;
	return table_await_key(slot, index, key, words) ? index : -1;
}

/*
 * The index of a key's place, from the table's entry; negative if there is no place, whatever the
 * reason. in_force is the slot of the parameters.
 */
static __always_inline int table_index(struct clock_source *source, union table_key *key,
				       __u32 slot, __u32 in_force, __u32 wide)
{
	struct policy_parameters *now_in_force = bpf_map_lookup_elem(&parameters, &in_force);

	if (!source || !key || !now_in_force)
		return -1;
	if (wide)
		return table_find_or_add(source, bpf_map_lookup_elem(&flow_tables, &slot), slot,
					 key, FLOW_KEY_WORDS, now_in_force);
	return table_find_or_add(source, bpf_map_lookup_elem(&bucket_tables, &slot), slot, key,
				 ADDRESS_KEY_WORDS, now_in_force);
}

/*
 * The slot of a key's table, the key's hash, and the slot whose parameters are in force for it, in
 * one argument.
 */
#define TABLE_KEY_AT(slot, hash, in_force) ((__u64)(in_force) << 32 | (hash) << 16 | (slot))

/*
 * Tries again to judge a packet whose hint led to no bucket of its key, or that lost the race for
 * its bucket. BUCKET_CONTENDED asks for another try. A global function, so that the verifier walks
 * it once and its stack does not burden the common path.
 */
__noinline int table_try_again(struct clock_source *source, union table_key *key, __u64 at,
			       __u32 wide, __u64 cost)
{
	__u32 slot = (__u16)at, in_force = at >> 32;
	struct policy_parameters *now_in_force = bpf_map_lookup_elem(&parameters, &in_force);
	int words = wide ? FLOW_KEY_WORDS : ADDRESS_KEY_WORDS, index;
	struct place *place;
	__u32 *hint;
	__u64 pos;

	if (!source || !key || !now_in_force)
		return BUCKET_MARKED;
	index = table_index(source, key, slot, in_force, wide);
	hint = place_hint(slot, (__u16)(at >> 16));
	if (index < 0 || !hint)
		return BUCKET_MARKED;
	*hint = index;
	place = place_at(slot, index & (MAX_PLACES - 1));
	if (!place || !place_position(place, key->word, words, &pos))
		return BUCKET_CONTENDED;
	return bucket_try(source, &place->bucket, pos, now_in_force, cost);
}

/*
 * Judges one packet by its key's bucket, which is made if there is none. BUCKET_MARKED judges
 * nothing: there is no place, or the bucket is being removed, or another CPU is making the bucket
 * and was held up.
 */
static __always_inline enum bucket_verdict
table_judge(struct clock_source *source, const volatile __u64 *hash_key, __u32 slot, __u32 in_force,
	    union table_key *key, _Bool wide, struct policy_parameters *parameters, __u64 cost)
{
	int words = wide ? FLOW_KEY_WORDS : ADDRESS_KEY_WORDS;
	__u32 hash = place_hash(hash_key, key->word, words);
	__u32 *hint = place_hint(slot, hash);
	enum bucket_verdict verdict = BUCKET_CONTENDED;
	struct place *place;
	__u64 pos;

	if (!hint)
		return BUCKET_MARKED;
	place = place_at(slot, *hint & (MAX_PLACES - 1));
	if (place && place_position(place, key->word, words, &pos))
		verdict = bucket_try(source, &place->bucket, pos, parameters, cost);
#pragma clang loop unroll(disable)
	for (int try = 1; try < BUCKET_TRIES && verdict == BUCKET_CONTENDED; try++)
		verdict =
		    table_try_again(source, key, TABLE_KEY_AT(slot, hash, in_force), wide, cost);
	return verdict;
}

static __always_inline int table_add_evicting(const struct clock_source *source, void *table,
					      __u32 slot, const union table_key *key,
					      struct policy_parameters *parameters)
{
	struct bucket full = bucket_full(parameters, clock_read(source));

	if (!table || bpf_map_update_elem(table, key, &full, BPF_NOEXIST))
		return -1;
	table_count_added(slot);
	return 0;
}

/*
 * Makes the bucket of a key that has none. A separate function for the same reasons as
 * table_try_again().
 */
__noinline int table_evict_for(struct clock_source *source, union table_key *key, __u32 slot,
			       __u32 in_force, __u32 wide)
{
	struct policy_parameters *now_in_force = bpf_map_lookup_elem(&parameters, &in_force);

	if (!source || !key || !now_in_force)
		return -1;
	if (wide)
		return table_add_evicting(source, bpf_map_lookup_elem(&evicting_flow_tables, &slot),
					  slot, key, now_in_force);
	return table_add_evicting(source, bpf_map_lookup_elem(&evicting_bucket_tables, &slot), slot,
				  key, now_in_force);
}

/*
 * A key's bucket in a table in which the kernel evicts to make room; NULL if no bucket could be
 * made.
 */
static __always_inline struct bucket *table_evicting_bucket(struct clock_source *source,
							    void *table, __u32 slot, __u32 in_force,
							    union table_key *key, _Bool wide)
{
	struct bucket *bucket;

	if (!table)
		return NULL;
	bucket = bpf_map_lookup_elem(table, key);
	if (bucket)
		return bucket;
	table_evict_for(source, key, slot, in_force, wide);
	return bpf_map_lookup_elem(table, key);
}

#endif

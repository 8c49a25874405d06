/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The tables of buckets: one a slot, made by the agent before the slot's first use, and given up a
 * grace period after its last. One table a policy, so that the lim of a late packet on a place used
 * anew is of the same axis. All are pinned, host-wide, preallocated.
 *
 * A bucket has a place, an index of arrays, beside its key. The entry of a hash map says which, and
 * nothing else: a key has the bucket that its entry names. But asking the hash map is what would
 * cost most of a packet's time. So a hint is asked first: by a hash of the key, the place that was
 * last found there. The place's own key tells whether it is right, so a hint may be old, torn, or
 * another key's, and harms nothing.
 *
 * Adding: a place that nobody has gets a full bucket and the key but for its last word; then the
 * entry is made, which of several CPUs with a key's first packets one wins; then the last word, by
 * an exchange, a full barrier. So no hint leads to the bucket of a CPU that lost, nor to one that
 * is half written. The loser frees its place, and all use the winner's.
 *
 * Removing, by sweep.bpf.c alone, of keys whose last word is there: it marks the bucket, takes the
 * entry out, zeroes the last word, and frees the place. A packet reads the bucket's position before
 * the place's key. If it is late, it meets the mark, or loses its compare-and-swap and looks for
 * its key anew, and so spends no other key's tokens. What is left is worth one packet: a position
 * that comes again, where a bucket is removed and another made within a moment, or a CPU that does
 * not keep the order of two loads.
 *
 * Of onFull: EvictOldest the kernel removes about the least recently used when it needs room,
 * debtors too, so the bound does not hold for what it evicts. It tells nobody, so there the entries
 * of the hash maps hold the buckets themselves.
 */
#ifndef TB_TABLES_H
#define TB_TABLES_H

#include "places.h"

/* The agent chooses their size. Keys of flows and of pairs are wide: flow_key. */
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
 * Makes the entry of a key that has none, with a full bucket: its window ends at V(now). Nothing
 * where there is no place, or another CPU made the entry meanwhile. The key's last word comes when
 * the entry is there, so that no hint leads to the bucket of a CPU that lost.
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

/* Whether the place is the key's by now: who makes an entry makes the key valid right after. */
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
		/* Two CPUs with a key's first packets both take what is there now. */
		entry = bpf_map_lookup_elem(table, key);
	}
	if (!entry)
		return -1;
	index = *entry;
	return table_await_key(slot, index, key, words) ? index : -1;
}

/*
 * The index of a key's place, by the table's entry; negative where there is no place, whatever the
 * reason. in_force: the slot of the parameters.
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
 * Another try to judge a packet whose hint led to no bucket of its key, or that lost the race for
 * it; BUCKET_CONTENDED: it takes one more. A global function, so that the verifier walks it once,
 * and its stack is no burden on the common way.
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
 * Judges one packet by its key's bucket, which is made where there is none. BUCKET_MARKED judges
 * nothing: there is no place, or the bucket is being removed, or another CPU makes it and was held
 * up.
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

/* Makes the bucket of a key that has none; a function of its own as table_try_again is. */
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

/* A key's bucket in a table in which the kernel makes room; NULL where it made none. */
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

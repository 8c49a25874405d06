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
 * Removing: sweep.bpf.c removes idle keys. A packet removes one to make room for its own key if
 * there is no free place and admission.h admits that key: of a few, the one that has been full for
 * longest. Both remove only full buckets, of keys whose last word is set. They mark the bucket,
 * remove the entry, zero the last word, and free the place. Only the CPU whose compare-and-swap
 * made the mark removes that key. If the kernel can't remove the entry, that CPU takes the mark
 * back.
 *
 * A packet reads the bucket's position before the place's key. A late packet meets the mark, or
 * loses its compare-and-swap and looks its key up again, and so spends no other key's tokens. The
 * remaining races are worth one packet: a position that recurs, if a bucket is removed and another
 * made within a moment, or a CPU that reorders two loads.
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

static __always_inline void table_count_removed(__u32 slot)
{
	struct table_counters *count = bpf_map_lookup_elem(&table_counters, &slot);

	if (count)
		__sync_fetch_and_add(&count->removed, 1);
}

/*
 * Removes the key of a place if its bucket, at pos, is full, and frees the place. The caller has
 * read pos, and then that the key's last word is set. The order matters: when the place is freed,
 * no CPU can find it any more.
 */
static __always_inline _Bool table_remove(const struct clock_source *source, void *table,
					  __u32 slot, __u32 index, struct place *place, __u64 pos,
					  int words, struct policy_parameters *parameters)
{
	if (!bucket_mark_full(source, &place->bucket, pos, parameters))
		return 0;
	if (bpf_map_delete_elem(table, place->key)) {
		bucket_unmark(&place->bucket, pos);
		return 0;
	}
	*(volatile __u64 *)&place->key[words - 1] = 0;
	table_count_removed(slot);
	place_free(slot, index);
	return 1;
}

/*
 * The slot of a key's table, the slot whose parameters are in force for it, and the key's hash, in
 * one argument.
 */
#define TABLE_KEY_AT(slot, hash, in_force) ((__u64)(in_force) << 48 | (__u64)(slot) << 32 | (hash))
#define TABLE_HASH(at) ((__u32)(at))
#define TABLE_SLOT(at) ((__u16)((at) >> 32))
#define TABLE_IN_FORCE(at) ((__u16)((at) >> 48))

/* How many places a packet looks at to find a bucket to replace. */
#define REPLACE_LOOKS 4

/* Where a packet looks for a bucket to replace: elsewhere in each tick. */
static __always_inline __u32 replace_from(__u32 hash, __u64 tick, __u32 capacity)
{
	return ((__u64)(hash ^ (__u32)tick * 0x9e3779b9) * capacity) >> 32;
}

/* The index of the place, of a few, whose bucket has been full for longest; -1 if none is full. */
__noinline int replace_choose(struct clock_source *source, __u64 at, __u32 wide)
{
	__u32 slot = TABLE_SLOT(at), in_force = TABLE_IN_FORCE(at);
	struct policy_parameters *now_in_force = bpf_map_lookup_elem(&parameters, &in_force);
	struct place_cursor *cursor = bpf_map_lookup_elem(&place_cursors, &slot);
	int last_word = (wide ? FLOW_KEY_WORDS : ADDRESS_KEY_WORDS) - 1, chosen = -1;
	const struct axis_line *line;
	__u64 v, most = 0;
	__u32 index;

	if (!source || !now_in_force || !cursor)
		return -1;
	v = clock_read(source);
	line = parameters_line_at(now_in_force, v);
	v = axis_value(line, v);
	index = replace_from(TABLE_HASH(at), clock_tick(source), cursor->capacity);
#pragma clang loop unroll(disable)
	for (int look = 0; look < REPLACE_LOOKS; look++) {
		struct place *place = place_at(slot, index & (MAX_PLACES - 1));
		__u64 spare;

		if (!place)
			break;
		spare = bucket_spare(line, v, bucket_position(&place->bucket));
		if (spare > most && *(volatile __u64 *)&place->key[last_word]) {
			most = spare;
			chosen = index;
		}
		index = index + 1 < cursor->capacity ? index + 1 : 0;
	}
	return chosen;
}

/* Removes the key of a place if its bucket is full, and frees the place. */
__noinline int replace_remove(struct clock_source *source, __u64 at, __u32 index, __u32 wide)
{
	__u32 slot = TABLE_SLOT(at), in_force = TABLE_IN_FORCE(at);
	struct policy_parameters *now_in_force = bpf_map_lookup_elem(&parameters, &in_force);
	struct place *place = place_at(slot, index & (MAX_PLACES - 1));
	void *table;
	__u64 pos;

	if (!source || !now_in_force || !place)
		return 0;
	pos = bucket_position(&place->bucket);
	if (!*(volatile __u64 *)&place->key[(wide ? FLOW_KEY_WORDS : ADDRESS_KEY_WORDS) - 1])
		return 0;
	if (wide) {
		table = bpf_map_lookup_elem(&flow_tables, &slot);
		return table && table_remove(source, table, slot, index, place, pos, FLOW_KEY_WORDS,
					     now_in_force);
	}
	table = bpf_map_lookup_elem(&bucket_tables, &slot);
	return table && table_remove(source, table, slot, index, place, pos, ADDRESS_KEY_WORDS,
				     now_in_force);
}

/*
 * Makes room in a table that was found full, if the key is admitted and a bucket is found that is
 * full: its place is free then. Its callees share the stack one after the other.
 */
__noinline int table_make_room(struct clock_source *source, __u64 at, __u32 wide)
{
	__u32 slot = TABLE_SLOT(at);
	struct admission *admission = bpf_map_lookup_elem(&admissions, &slot);
	__u64 tick;
	int index;

	if (!source || !admission)
		return 0;
	tick = clock_tick(source);
	if (*(volatile __u64 *)&admission->full_in != tick ||
	    !sighting_again(slot, TABLE_HASH(at)) || !admission_grant(admission, tick))
		return 0;
	index = replace_choose(source, at, wide);
	return index >= 0 && replace_remove(source, at, index, wide);
}

/*
 * Makes the entry of a key that has none, with a full bucket, whose window ends at V(now). Does
 * nothing if another CPU made the entry meanwhile. False if there is no place. The key's last word
 * is written after the entry is made, so that no hint leads to the bucket of a CPU that lost.
 */
static __always_inline _Bool table_add(const struct clock_source *source, void *table, __u64 at,
				       const union table_key *key, int words,
				       struct policy_parameters *parameters)
{
	__u32 slot = TABLE_SLOT(at), index;
	struct place *place;

	if (!place_take(source, slot, &index))
		return 0;
	place = place_at(slot, index & (MAX_PLACES - 1));
	if (!place)
		return 0;
	place->bucket = bucket_full(parameters, clock_read(source));
	for (int i = 0; i < words - 1; i++)
		place->key[i] = key->word[i];
	if (bpf_map_update_elem(table, key, &index, BPF_NOEXIST)) {
		place_free(slot, index);
		return 1;
	}
	__sync_lock_test_and_set(&place->key[words - 1], key->word[words - 1]);
	table_count_added(slot);
	return 1;
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
					     __u64 at, const union table_key *key, int words,
					     struct policy_parameters *parameters)
{
	__u32 *entry, index;

	if (!table)
		return -1;
	entry = bpf_map_lookup_elem(table, key);
	if (!entry) {
		if (!table_add(source, table, at, key, words, parameters))
			return -1;
		/* Two CPUs with a key's first packets both take the entry that exists now. */
		entry = bpf_map_lookup_elem(table, key);
	}
	if (!entry)
		return -1;
	index = *entry;
	return table_await_key(TABLE_SLOT(at), index, key, words) ? index : -1;
}

/*
 * The index of a key's place, from the table's entry; negative if there is no place, whatever the
 * reason.
 */
static __always_inline int table_index(struct clock_source *source, union table_key *key, __u64 at,
				       __u32 wide)
{
	__u32 slot = TABLE_SLOT(at), in_force = TABLE_IN_FORCE(at);
	struct policy_parameters *now_in_force = bpf_map_lookup_elem(&parameters, &in_force);

	if (!source || !key || !now_in_force)
		return -1;
	if (wide)
		return table_find_or_add(source, bpf_map_lookup_elem(&flow_tables, &slot), at, key,
					 FLOW_KEY_WORDS, now_in_force);
	return table_find_or_add(source, bpf_map_lookup_elem(&bucket_tables, &slot), at, key,
				 ADDRESS_KEY_WORDS, now_in_force);
}

/*
 * Tries again to judge a packet whose hint led to no bucket of its key, or that lost the race for
 * its bucket. BUCKET_CONTENDED asks for another try. A global function, so that the verifier walks
 * it once and its stack does not burden the common path.
 */
__noinline int table_try_again(struct clock_source *source, union table_key *key, __u64 at,
			       __u32 wide, __u64 cost)
{
	__u32 slot = TABLE_SLOT(at), in_force = TABLE_IN_FORCE(at);
	struct policy_parameters *now_in_force = bpf_map_lookup_elem(&parameters, &in_force);
	int words = wide ? FLOW_KEY_WORDS : ADDRESS_KEY_WORDS, index;
	struct place *place;
	__u32 *hint;
	__u64 pos;

	if (!source || !key || !now_in_force)
		return BUCKET_NONE;
	index = table_index(source, key, at, wide);
	hint = place_hint(slot, TABLE_HASH(at));
	if (index < 0 || !hint)
		return BUCKET_NONE;
	*hint = HINT(index, TABLE_HASH(at));
	place = place_at(slot, index & (MAX_PLACES - 1));
	if (!place || !place_position(place, key->word, words, &pos))
		return BUCKET_CONTENDED;
	return bucket_try(source, &place->bucket, pos, now_in_force, cost);
}

/*
 * Judges one packet by its key's bucket, which is made if there is none, in the place of a full
 * bucket if need be. BUCKET_NONE judges nothing: there is no place, or the bucket is being
 * removed, or another CPU is making the bucket and was held up.
 */
static __always_inline enum bucket_verdict
table_judge(struct clock_source *source, const volatile __u64 *hash_key, __u32 slot, __u32 in_force,
	    union table_key *key, _Bool wide, struct policy_parameters *parameters, __u64 cost)
{
	int words = wide ? FLOW_KEY_WORDS : ADDRESS_KEY_WORDS;
	__u32 hash = place_hash(hash_key, key->word, words);
	__u32 *hint = place_hint(slot, hash);
	__u64 at = TABLE_KEY_AT(slot, hash, in_force);
	enum bucket_verdict verdict = BUCKET_CONTENDED;
	struct place *place = NULL;
	__u64 pos;

	if (!hint)
		return BUCKET_NONE;
	if (hint_is_of(*hint, hash))
		place = place_at(slot, HINT_PLACE(*hint));
	if (place && place_position(place, key->word, words, &pos))
		verdict = bucket_try(source, &place->bucket, pos, parameters, cost);
#pragma clang loop unroll(disable)
	for (int try = 1; try < BUCKET_TRIES && verdict == BUCKET_CONTENDED; try++) {
		verdict = table_try_again(source, key, at, wide, cost);
		if (verdict == BUCKET_NONE && try == 1 && table_make_room(source, at, wide))
			verdict = BUCKET_CONTENDED;
	}
	return verdict;
}

/*
 * The bucket of a key that a packet was just judged by; NULL if the key has lost its bucket since.
 * The hint leads there unless another key has taken it over.
 */
static __always_inline struct bucket *table_find(const volatile __u64 *hash_key, __u32 slot,
						 const union table_key *key, _Bool wide)
{
	int words = wide ? FLOW_KEY_WORDS : ADDRESS_KEY_WORDS;
	__u32 hash = place_hash(hash_key, key->word, words);
	__u32 *hint = place_hint(slot, hash), *entry;
	struct place *place;
	void *table;
	__u64 pos;

	if (hint && hint_is_of(*hint, hash)) {
		place = place_at(slot, HINT_PLACE(*hint));
		if (place && place_position(place, key->word, words, &pos))
			return &place->bucket;
	}
	table = wide ? bpf_map_lookup_elem(&flow_tables, &slot)
		     : bpf_map_lookup_elem(&bucket_tables, &slot);
	entry = table ? bpf_map_lookup_elem(table, key) : NULL;
	place = entry ? place_at(slot, *entry & (MAX_PLACES - 1)) : NULL;
	return place && place_position(place, key->word, words, &pos) ? &place->bucket : NULL;
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

/* Likewise, in a table in which the kernel evicts to make room. */
static __always_inline struct bucket *table_evicting_find(__u32 slot, const union table_key *key,
							  _Bool wide)
{
	void *table = wide ? bpf_map_lookup_elem(&evicting_flow_tables, &slot)
			   : bpf_map_lookup_elem(&evicting_bucket_tables, &slot);

	return table ? bpf_map_lookup_elem(table, key) : NULL;
}

#endif

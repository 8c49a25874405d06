/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The places where buckets lie, the hints that lead to them, and which are free. How a place, a key
 * and its entry come together is told in tables.h. All are made by the agent before a slot's first
 * use, and given up a grace period after its last.
 */
#ifndef TB_PLACES_H
#define TB_PLACES_H

#include "maps.h"

/* Places come in arrays of one size: only then is a look-up no call. */
#define PLACES_BITS 14
#define MAX_PLACES (1 << 22)
#define HINTS_BITS 16

enum place_limit {
	PLACES = 1 << PLACES_BITS,
	SLOT_ARRAYS = MAX_PLACES / PLACES,
	HINTS = 1 << HINTS_BITS,
};

/* A key in words; the last is never zero in a valid one: it ends in version or protocol. */
#define FLOW_KEY_WORDS ((int)(sizeof(struct flow_key) / sizeof(__u64)))
#define ADDRESS_KEY_WORDS ((int)(sizeof(struct bucket_key) / sizeof(__u64)))

union table_key {
	struct bucket_key address;
	struct flow_key flow;
	__u64 word[FLOW_KEY_WORDS];
};

/*
 * bucket: token_bucket.h; written as a whole by the CPU that took the place, before its key is
 * valid. key: by the same CPU; its last word is zero from sweep.bpf.c's removal on. 64 bytes: a
 * cache line.
 */
struct place {
	struct bucket bucket;
	__u64 key[FLOW_KEY_WORDS];
};

/*
 * Set by the agent before the slot's first use. lost: free places that the queue did not take, the
 * last one's index + 1 below a number that each change raises; the next one's is in its key's first
 * word. Changed by compare-and-swap, by who frees a place and who takes one.
 */
struct place_cursor {
	__u32 next;	/* places from here on were never used; added to by any CPU, atomically */
	__u32 capacity; /* all places there are */
	__u64 lost;
};

/* What the kernel wants to know of the maps in an array of maps; of a size of 1 the agent chooses.
 */
#define INNER(name, kind, entries, key_bytes, value_bytes)                                         \
	struct name {                                                                              \
		__uint(type, kind);                                                                \
		__uint(max_entries, entries);                                                      \
		__uint(key_size, key_bytes);                                                       \
		__uint(value_size, value_bytes);                                                   \
	}

#define OUTER(shape, entries)                                                                      \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                          \
		__uint(max_entries, entries);                                                      \
		__type(key, __u32);                                                                \
		__array(values, struct shape);                                                     \
	}

INNER(place_array, BPF_MAP_TYPE_ARRAY, PLACES, sizeof(__u32), sizeof(struct place));
INNER(hint_array, BPF_MAP_TYPE_ARRAY, HINTS, sizeof(__u32), sizeof(__u32));
INNER(place_queue, BPF_MAP_TYPE_QUEUE, 1, 0, sizeof(__u32));

/* Array a of slot s at s * SLOT_ARRAYS + a. */
OUTER(place_array, MAX_SLOTS *SLOT_ARRAYS) places SEC(".maps");

/* Plain stores by any CPU. */
OUTER(hint_array, MAX_SLOTS) hints SEC(".maps");

/* Used before and free again: taken by the classifier, given by its losers and by sweep.bpf.c. */
OUTER(place_queue, MAX_SLOTS) free_places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SLOTS);
	__type(key, __u32);
	__type(value, struct place_cursor);
} place_cursors SEC(".maps");

static __always_inline struct place *place_at(__u32 slot, __u32 index)
{
	__u32 array = slot * SLOT_ARRAYS + (index >> PLACES_BITS);
	__u32 within = index & (PLACES - 1);
	void *inner = bpf_map_lookup_elem(&places, &array);

	return inner ? bpf_map_lookup_elem(inner, &within) : NULL;
}

/*
 * Whether the place is the key's, and the position of its bucket, which is read first: who then
 * moves the bucket from there by compare-and-swap moves the key's, for a place that becomes another
 * key's is marked before. The last word is read last, and so is right where the others are.
 */
static __always_inline _Bool place_position(const struct place *place, const __u64 *key, int words,
					    __u64 *pos)
{
	__u64 differing = 0;

	*pos = bucket_position(&place->bucket);
	for (int i = 0; i < words; i++)
		differing |= *(const volatile __u64 *)&place->key[i] ^ key[i];
	return !differing;
}

/*
 * A number below HINTS by a secret {seed, odd multiplier}, or a sender could choose addresses that
 * all share a hint. What only the upper half of a word says is folded down before the next word.
 */
static __always_inline __u32 place_hash(const volatile __u64 *hash_key, const __u64 *key, int words)
{
	__u64 seed = hash_key[0], hash;

	/* The last word of an address is its version, which needs no round of its own. */
	if (words == ADDRESS_KEY_WORDS)
		seed ^= key[--words];
	hash = (seed ^ key[0]) * hash_key[1];
	for (int i = 1; i < words; i++)
		hash = (hash ^ hash >> 32 ^ key[i]) * hash_key[1];
	return hash >> (64 - HINTS_BITS);
}

static __always_inline __u32 *place_hint(__u32 slot, __u32 hash)
{
	void *of_slot = bpf_map_lookup_elem(&hints, &slot);

	return of_slot ? bpf_map_lookup_elem(of_slot, &hash) : NULL;
}

/* lost after a change that leaves this place, its index + 1, or none as the last one. */
static __always_inline __u64 place_lost(__u64 before, __u32 last)
{
	return ((before >> 32) + 1) << 32 | last;
}

/*
 * Keeps a free place that the queue did not take: the kernel refuses where it meets the queue's
 * lock in itself, or can't have it. Rare, as all that has to do with it.
 */
__noinline int place_keep_lost(__u32 slot, __u32 index)
{
	struct place_cursor *cursor = bpf_map_lookup_elem(&place_cursors, &slot);
	struct place *place = place_at(slot, index);

	if (!cursor || !place)
		return 0;
#pragma clang loop unroll(disable)
	for (int try = 0; try < BUCKET_TRIES; try++) {
		__u64 before = *(volatile __u64 *)&cursor->lost;

		*(volatile __u64 *)&place->key[0] = (__u32)before;
		if (__sync_val_compare_and_swap(&cursor->lost, before,
						place_lost(before, index + 1)) == before)
			return 1;
	}
	return 0;
}

/* A place that was kept so, or -1. */
__noinline int place_find_lost(__u32 slot)
{
	struct place_cursor *cursor = bpf_map_lookup_elem(&place_cursors, &slot);

	if (!cursor)
		return -1;
#pragma clang loop unroll(disable)
	for (int try = 0; try < BUCKET_TRIES; try++) {
		__u64 before = *(volatile __u64 *)&cursor->lost;
		struct place *place = place_at(slot, ((__u32)before - 1) & (MAX_PLACES - 1));

		if (!(__u32)before || !place)
			return -1;
		/* Another's key by now where another was faster; then the swap fails. */
		if (__sync_val_compare_and_swap(
			&cursor->lost, before,
			place_lost(before, *(volatile __u64 *)&place->key[0])) == before)
			return (__u32)before - 1;
	}
	return -1;
}

/* Takes a place that nobody has; false where there is none. */
static __always_inline _Bool place_take(__u32 slot, __u32 *index)
{
	void *queue = bpf_map_lookup_elem(&free_places, &slot);
	struct place_cursor *cursor;
	int lost;

	if (queue && !bpf_map_pop_elem(queue, index))
		return 1;
	cursor = bpf_map_lookup_elem(&place_cursors, &slot);
	if (!cursor)
		return 0;
	if ((__u32)cursor->lost) {
		lost = place_find_lost(slot);
		*index = lost;
		return lost >= 0;
	}
	if (cursor->next >= cursor->capacity)
		return 0;
	*index = __sync_fetch_and_add(&cursor->next, 1);
	return *index < cursor->capacity;
}

static __always_inline void place_free(__u32 slot, __u32 index)
{
	void *queue = bpf_map_lookup_elem(&free_places, &slot);

	if (queue && bpf_map_push_elem(queue, &index, BPF_ANY))
		place_keep_lost(slot, index);
}

#endif

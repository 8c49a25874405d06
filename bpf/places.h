/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The places that hold buckets, the hints that lead to places, and the free places. tables.h
 * describes how a place, a key and its entry come together. The agent makes all of them before a
 * slot's first use, and releases them a grace period after its last use.
 */
#ifndef TB_PLACES_H
#define TB_PLACES_H

#include "admission.h"
#include "maps.h"

/* Places come in arrays of one size: only then does the kernel inline the look-up. */
#define PLACES_BITS 14
#define MAX_PLACES_BITS 22
#define MAX_PLACES (1 << MAX_PLACES_BITS)
#define HINTS_BITS 16

enum place_limit {
	PLACES = 1 << PLACES_BITS,
	SLOT_ARRAYS = MAX_PLACES / PLACES,
	HINTS = 1 << HINTS_BITS,
};

/*
 * A key's length in words. The last word of a valid key is never zero, because it ends in the
 * version or the protocol.
 */
#define FLOW_KEY_WORDS ((int)(sizeof(struct flow_key) / sizeof(__u64)))
#define ADDRESS_KEY_WORDS ((int)(sizeof(struct bucket_key) / sizeof(__u64)))

union table_key {
	struct bucket_key address;
	struct flow_key flow;
	__u64 word[FLOW_KEY_WORDS];
};

/*
 * bucket (token_bucket.h): the CPU that took the place writes the whole bucket before the place's
 * key is valid. key: the same CPU writes it; a CPU that removes the key zeroes the last word. 64
 * bytes: one cache line.
 */
struct place {
	struct bucket bucket;
	__u64 key[FLOW_KEY_WORDS];
};

/*
 * The agent sets the cursor before the slot's first use. lost: free places that the queue did not
 * take. It holds the last such place's index + 1 in the lower half, and in the upper half a number
 * that each change raises; the first word of a place's key holds the next lost place. A CPU that
 * frees or takes a place changes lost by compare-and-swap.
 */
struct place_cursor {
	/* Places from here on were never used. Any CPU adds to next, atomically. */
	__u32 next;
	/* Number of all places. */
	__u32 capacity;
	__u64 lost;
};

/*
 * The shape of the maps in an array of maps, for the kernel. The agent chooses the number of
 * entries of the maps declared here with one entry.
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

/* HINT() of the key last found with a hash. Any CPU writes, with plain stores. */
OUTER(hint_array, MAX_SLOTS) hints SEC(".maps");

/*
 * Places that were used and are free again. The classifier takes them; a CPU that loses the race to
 * add a key, or that removes a key, returns them.
 */
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
 * Whether the place is the key's, and the position of its bucket. The position is read first: a
 * place that changes to another key has its bucket marked before, so a caller that then moves the
 * bucket from that position by compare-and-swap moves the key's bucket. The key's last word is read
 * last, and so is valid if the other words are.
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
 * A hash keyed with a secret {seed, odd multiplier}; otherwise a sender could choose addresses that
 * all share a hint. Each round folds the upper half of the hash down before it mixes in the next
 * word. The upper bits choose the hint, and the lower ones tell the keys of a hint apart.
 */
static __always_inline __u32 place_hash(const volatile __u64 *hash_key, const __u64 *key, int words)
{
	__u64 seed = hash_key[0], hash;

	/* The last word of an address key is the version, which needs no round of its own. */
	if (words == ADDRESS_KEY_WORDS)
		seed ^= key[--words];
	hash = (seed ^ key[0]) * hash_key[1];
	for (int i = 1; i < words; i++)
		hash = (hash ^ hash >> 32 ^ key[i]) * hash_key[1];
	return hash >> 32;
}

/* A hint: the place's index, and bits of the key's hash above, which save a look at the place. */
#define HINT(index, hash) ((index) | (hash) << MAX_PLACES_BITS)
#define HINT_PLACE(hint) ((hint) & (MAX_PLACES - 1))

static __always_inline _Bool hint_is_of(__u32 hint, __u32 hash)
{
	return hint >> MAX_PLACES_BITS == hash << MAX_PLACES_BITS >> MAX_PLACES_BITS;
}

static __always_inline __u32 *place_hint(__u32 slot, __u32 hash)
{
	void *of_slot = bpf_map_lookup_elem(&hints, &slot);
	__u32 cell = hash >> (32 - HINTS_BITS);

	return of_slot ? bpf_map_lookup_elem(of_slot, &cell) : NULL;
}

/*
 * The value of lost after a change that leaves last, a place's index + 1 or zero for none, as the
 * last lost place.
 */
static __always_inline __u64 place_lost(__u64 before, __u32 last)
{
	return ((before >> 32) + 1) << 32 | last;
}

/*
 * Keeps a free place that the queue did not take: the kernel refuses a push if the queue's lock is
 * already held on this CPU, or can't be taken. Lost places are rare, and so is all of this code.
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

/* Takes a place that place_keep_lost() kept; -1 if there is none. */
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
		/*
		 * If another CPU was faster, the word belongs to that CPU's key by now; then the
		 * swap fails.
		 */
		if (__sync_val_compare_and_swap(
			&cursor->lost, before,
			place_lost(before, *(volatile __u64 *)&place->key[0])) == before)
			return (__u32)before - 1;
	}
	return -1;
}

/* Takes a place that no key uses, wherever it is kept; false if there is none. */
static __always_inline _Bool place_take_any(__u32 slot, __u32 *index)
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

/*
 * Likewise, but looks only once per tick if there is none: to look takes the queue's lock, and a
 * flood looks for each of its packets.
 */
static __always_inline _Bool place_take(const struct clock_source *source, __u32 slot, __u32 *index)
{
	struct admission *admission = bpf_map_lookup_elem(&admissions, &slot);
	__u64 tick = clock_tick(source);

	if (!admission || *(volatile __u64 *)&admission->full_in == tick)
		return 0;
	if (place_take_any(slot, index))
		return 1;
	*(volatile __u64 *)&admission->full_in = tick;
	return 0;
}

static __always_inline void place_free(__u32 slot, __u32 index)
{
	void *queue = bpf_map_lookup_elem(&free_places, &slot);
	struct admission *admission = bpf_map_lookup_elem(&admissions, &slot);

	if (queue && bpf_map_push_elem(queue, &index, BPF_ANY))
		place_keep_lost(slot, index);
	if (admission)
		*(volatile __u64 *)&admission->full_in = 0;
}

#endif

/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Which keys get a bucket in a table that has no free place: keys that are seen twice within a
 * short time. A flood of random sources rarely brings a source twice, whereas a client sends again
 * soon. So a full table costs a flood's packet little, and a client waits for one packet.
 *
 * All of this is advice: whatever is lost or read torn here delays a bucket or grants one early,
 * and no bucket ever holds more than it should.
 */
#ifndef TB_ADMISSION_H
#define TB_ADMISSION_H

#include "maps.h"

#define SIGHTINGS_BITS 16

enum admission_limit {
	SIGHTINGS = 1 << SIGHTINGS_BITS,
	/*
	 * Buckets that may be replaced per tick and slot, which bounds what an attacker who sends
	 * from each source twice can cost: a replacement is dearer than a refusal.
	 */
	ADMISSIONS_PER_TICK = 256,
};

/* Four tags of keys per cell, 16 bits each, the latest in the lowest bits. */
#define SIGHTING_TAG_BITS 16
#define SIGHTING_TAG_MASK ((1 << SIGHTING_TAG_BITS) - 1)
#define SIGHTING_LANES 0x0001000100010001ULL

/* Pinned, host-wide: 512 KiB. Any CPU writes a cell, with a plain store. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SIGHTINGS);
	__type(key, __u32);
	__type(value, __u64);
} sightings SEC(".maps");

/*
 * full_in: the tick in which no free place was found; zero if one was freed since. Any CPU writes
 * it with a plain store, and so does each CPU that frees a place; the agent reads it. taken: a
 * tick, and the number of replacements in it, in the lowest 16 bits. Any CPU writes it with a plain
 * store.
 */
struct admission {
	__u64 full_in;
	__u64 taken;
};

/* Pinned, host-wide. The agent zeroes an element before the slot's first use. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SLOTS);
	__type(key, __u32);
	__type(value, struct admission);
} admissions SEC(".maps");

/* Whether one of the four tags in seen equals tag. */
static __always_inline _Bool sighting_has(__u64 seen, __u64 tag)
{
	__u64 differing = seen ^ tag * SIGHTING_LANES;

	/* The sign bit of the lowest lane that is zero is set; none is set if no lane is zero. */
	return (differing - SIGHTING_LANES) & ~differing & SIGHTING_LANES << 15;
}

/*
 * Whether a key with this hash was seen lately: among the last four keys of its cell that had no
 * bucket. Remembers it otherwise. One in 8,192 keys is taken for another one.
 */
static __always_inline _Bool sighting_again(__u32 slot, __u32 hash)
{
	__u32 cell = ((hash >> SIGHTING_TAG_BITS) ^ slot * 0x9e37) & (SIGHTINGS - 1);
	__u64 tag = (hash & SIGHTING_TAG_MASK) | 1; /* an empty lane has no tag */
	__u64 *seen = bpf_map_lookup_elem(&sightings, &cell);

	if (!seen)
		return 0;
	if (sighting_has(*seen, tag))
		return 1;
	*seen = *seen << SIGHTING_TAG_BITS | tag;
	return 0;
}

/* Whether another bucket may be replaced in this tick; counts it. */
static __always_inline _Bool admission_grant(struct admission *admission, __u64 tick)
{
	__u64 taken = admission->taken;

	if (taken >> 16 != (tick & (~0ULL >> 16)))
		taken = tick << 16;
	if ((taken & 0xffff) >= ADMISSIONS_PER_TICK)
		return 0;
	admission->taken = taken + 1;
	return 1;
}

#endif

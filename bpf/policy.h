/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* A hook's policy set, and the judgement of a packet by one policy of it. */
#ifndef TB_POLICY_H
#define TB_POLICY_H

#include "maps.h"
#include "packet.h"

#define MAX_HOOK_POLICIES 64

/* Which bucket: of these none for one that all share, else one. */
#define POLICY_PER_SOURCE (1 << 0)
#define POLICY_PER_DESTINATION (1 << 3)
#define POLICY_PER_FLOW (1 << 4)
#define POLICY_PER_ADDRESS (POLICY_PER_SOURCE | POLICY_PER_DESTINATION)

#define POLICY_TABLED (POLICY_PER_ADDRESS | POLICY_PER_FLOW)

#define POLICY_BYTES (1 << 1) /* tokens are bytes, else packets */
#define POLICY_AUDIT (1 << 2) /* count, but let pass */

/* What asks for more than the fixed IP header. */
#define POLICY_WALKS POLICY_PER_FLOW

struct hook_policy {
	__u32 slot;
	__u32 flags;
	__be32 ipv4_mask; /* of an address key */
	__be32 ipv6_mask[4];
	__u32 pad;
};

/*
 * Read-only data, set by the agent before load, so that the verifier removes what a set does not
 * use: with one policy every branch on its flags is decided at load. A section of its own, so that
 * the agent can read from a running program which set it has.
 */
struct hook_configuration {
	__u32 egress;
	__u32 policies;
	__u32 features; /* the union of the policies' flags */
	__u32 ethernet; /* frames begin with an Ethernet header, else with the IP header */
	struct hook_policy policy[MAX_HOOK_POLICIES];
};

const volatile struct hook_configuration hook SEC(".rodata.hook");

static __always_inline struct bucket *policy_shared_bucket(__u32 slot)
{
	struct shared_bucket *shared = bpf_map_lookup_elem(&shared_buckets, &slot);

	return shared ? &shared->bucket : NULL;
}

static __always_inline void policy_address_key(const struct packet *packet, __u32 flags, __u32 i,
					       struct bucket_key *key)
{
	const __u32 *address =
	    flags & POLICY_PER_DESTINATION ? packet->destination : packet->source;

	key->version = packet->version;
	if (packet->version == 4) {
		key->word[0] = address[0] & hook.policy[i].ipv4_mask;
		key->word[1] = key->word[2] = key->word[3] = 0;
		return;
	}
	for (int word = 0; word < 4; word++)
		key->word[word] = address[word] & hook.policy[i].ipv6_mask[word];
}

static __always_inline void policy_flow_key(const struct packet *packet, struct flow_key *key)
{
	__builtin_memset(key, 0, sizeof(*key));
	__builtin_memcpy(key->source, packet->source, sizeof(key->source));
	__builtin_memcpy(key->destination, packet->destination, sizeof(key->destination));
	key->source_port = packet->source_port;
	key->destination_port = packet->destination_port;
	key->protocol = packet->protocol;
	key->version = packet->version;
}

/*
 * The bucket of a key, made full where there is none: its window ends at V(now). Two CPUs with a
 * key's first packets both look up what is there after the insert, so both use the one element
 * that won. NULL where the table is full, whatever the reason given.
 */
static __always_inline struct bucket *
policy_keyed_bucket(struct clock_source *source, void *table, const void *key,
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
	bpf_map_update_elem(table, key, &full, BPF_NOEXIST);
	return bpf_map_lookup_elem(table, key);
}

static __always_inline struct bucket *
policy_address_bucket(struct clock_source *source, const struct packet *packet, __u32 i,
		      const struct policy_parameters *parameters)
{
	__u32 slot = hook.policy[i].slot;
	struct bucket_key key;

	policy_address_key(packet, hook.policy[i].flags, i, &key);
	return policy_keyed_bucket(source, bpf_map_lookup_elem(&bucket_tables, &slot), &key,
				   parameters);
}

static __always_inline struct bucket *policy_flow_bucket(struct clock_source *source,
							 const struct packet *packet, __u32 i,
							 const struct policy_parameters *parameters)
{
	__u32 slot = hook.policy[i].slot;
	struct flow_key key;

	policy_flow_key(packet, &key);
	return policy_keyed_bucket(source, bpf_map_lookup_elem(&flow_tables, &slot), &key,
				   parameters);
}

static __always_inline __u64 policy_cost(__u32 flags, const struct packet *packet)
{
	if (flags & POLICY_BYTES)
		return packet->bytes << AXIS_BYTE_SHIFT;
	return (__u64)packet->segments << AXIS_PACKET_SHIFT;
}

static __always_inline void policy_count(__u32 slot, const struct packet *packet,
					 enum bucket_verdict verdict, _Bool overflow)
{
	struct verdict_counters *count = bpf_map_lookup_elem(&counters, &slot);

	if (!count)
		return;
	if (verdict == BUCKET_CONFORM) {
		count->conform_packets += packet->segments;
		count->conform_bytes += packet->bytes;
	} else {
		count->exceed_packets += packet->segments;
		count->exceed_bytes += packet->bytes;
		if (verdict == BUCKET_CONTENDED)
			count->contended_packets += packet->segments;
	}
	if (overflow)
		count->overflow_packets += packet->segments;
}

/* True where policy i wants the packet dropped. features: what its flags can be at all. */
static __always_inline _Bool policy_drops(struct clock_source *source, const struct packet *packet,
					  __u32 i, __u32 features)
{
	__u32 slot = hook.policy[i].slot;
	__u32 flags = hook.policy[i].flags;
	struct policy_parameters *now_in_force = bpf_map_lookup_elem(&parameters, &slot);
	struct bucket *bucket = NULL;
	enum bucket_verdict verdict;
	_Bool overflow = 0;

	if (!now_in_force)
		return 0;
	if ((features & POLICY_PER_ADDRESS) && (flags & POLICY_PER_ADDRESS)) {
		bucket = policy_address_bucket(source, packet, i, now_in_force);
		overflow = !bucket;
	} else if ((features & POLICY_PER_FLOW) && (flags & POLICY_PER_FLOW)) {
		bucket = policy_flow_bucket(source, packet, i, now_in_force);
		overflow = !bucket;
	}
	if (!bucket)
		bucket = policy_shared_bucket(slot);
	if (!bucket)
		return 0;
	verdict = bucket_judge(source, bucket, now_in_force, policy_cost(flags, packet));
	if ((features & POLICY_TABLED) && verdict == BUCKET_MARKED) {
		overflow = 1;
		bucket = policy_shared_bucket(slot);
		if (!bucket)
			return 0;
		verdict = bucket_judge(source, bucket, now_in_force, policy_cost(flags, packet));
	}
	policy_count(slot, packet, verdict, overflow);
	return verdict != BUCKET_CONFORM && !(flags & POLICY_AUDIT);
}

#endif

/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The judgement of a packet by one policy of the hook's set. */
#ifndef TB_POLICY_H
#define TB_POLICY_H

#include "hook.h"
#include "packet.h"
#include "report.h"
#include "rewrite.h"
#include "tables.h"

/* Fills the key of a bucket per address. The caller passes key all zero. */
static __always_inline void policy_address_key(const struct packet *packet, __u32 flags, __u32 i,
					       struct bucket_key *key)
{
	const __u32 *address =
	    flags & POLICY_PER_DESTINATION ? packet->destination : packet->source;

	key->version = packet->version;
	if (packet->version == 4) {
		key->word[0] = address[0] & hook.policy[i].ipv4_mask;
		return;
	}
	for (int word = 0; word < 4; word++)
		key->word[word] = address[word] & hook.policy[i].ipv6_mask[word];
}

/* Fills the key of a bucket per pair of addresses. The caller passes key all zero. */
static __always_inline void policy_pair_key(const struct packet *packet, __u32 i,
					    struct flow_key *key)
{
	key->version = packet->version;
	if (packet->version == 4) {
		key->source[0] = packet->source[0] & hook.policy[i].ipv4_mask;
		key->destination[0] = packet->destination[0] & hook.policy[i].ipv4_mask;
		return;
	}
	for (int word = 0; word < 4; word++) {
		key->source[word] = packet->source[word] & hook.policy[i].ipv6_mask[word];
		key->destination[word] = packet->destination[word] & hook.policy[i].ipv6_mask[word];
	}
}

/* Likewise. */
static __always_inline void policy_flow_key(const struct packet *packet, struct flow_key *key)
{
	__builtin_memcpy(key->source, packet->source, sizeof(key->source));
	__builtin_memcpy(key->destination, packet->destination, sizeof(key->destination));
	key->source_port = packet->source_port;
	key->destination_port = packet->destination_port;
	key->protocol = packet->protocol;
	key->version = packet->version;
}

static __always_inline __u64 policy_cost(__u32 flags, const struct packet *packet)
{
	if (flags & POLICY_BYTES)
		return packet->bytes << AXIS_BYTE_SHIFT;
	return (__u64)packet->segments << AXIS_PACKET_SHIFT;
}

/* Judges by the bucket that all packets share: the policy's only one. */
static __always_inline enum bucket_verdict policy_judge_shared(struct clock_source *source,
							       __u32 slot,
							       struct policy_parameters *parameters,
							       __u64 cost)
{
	struct shared_bucket *shared = bpf_map_lookup_elem(&shared_buckets, &slot);
	struct reservation *mine = bpf_map_lookup_elem(&reservations, &slot);

	if (!shared || !mine)
		return BUCKET_CONFORM;
	return reservation_judge(source, mine, &shared->bucket, parameters, cost);
}

/*
 * Judges by the overflow bucket of the slot, for packets that find no place in the slot's table.
 * in_force is the slot of the parameters. Rare, and a global function, so that the verifier walks
 * its loop once and not with the caller's.
 */
__noinline int policy_judge_overflow(struct clock_source *source, __u32 slot, __u32 in_force,
				     __u64 cost)
{
	struct shared_bucket *shared = bpf_map_lookup_elem(&shared_buckets, &slot);
	struct policy_parameters *now_in_force = bpf_map_lookup_elem(&parameters, &in_force);

	if (!source || !shared || !now_in_force)
		return BUCKET_CONFORM;
	return bucket_judge(source, &shared->bucket, now_in_force, cost);
}

/* Fills the key of the packet's bucket. The caller passes key all zero. */
static __always_inline void policy_key(const struct packet *packet, __u32 i, __u32 flags,
				       union table_key *key)
{
	if (flags & POLICY_PER_FLOW)
		policy_flow_key(packet, &key->flow);
	else if (flags & POLICY_PER_PAIR)
		policy_pair_key(packet, i, &key->flow);
	else
		policy_address_key(packet, flags, i, &key->address);
}

/*
 * Judges by the bucket of the packet's key in the slot's table. BUCKET_NONE: the key has no
 * bucket.
 */
static __always_inline enum bucket_verdict
policy_judge_keyed(struct clock_source *source, const struct packet *packet, __u32 i, __u32 flags,
		   __u32 slot, struct policy_parameters *parameters, __u64 cost)
{
	_Bool wide = flags & POLICY_WIDE_KEY;
	__u32 in_force = hook.policy[i].slot;
	union table_key key = {};
	struct bucket *bucket;

	policy_key(packet, i, flags, &key);
	if (!(flags & POLICY_EVICTS))
		return table_judge(source, hook.hash_key, slot, in_force, &key, wide, parameters,
				   cost);
	bucket =
	    wide
		? table_evicting_bucket(source, bpf_map_lookup_elem(&evicting_flow_tables, &slot),
					slot, in_force, &key, 1)
		: table_evicting_bucket(source, bpf_map_lookup_elem(&evicting_bucket_tables, &slot),
					slot, in_force, &key, 0);
	return bucket ? bucket_judge(source, bucket, parameters, cost) : BUCKET_NONE;
}

/*
 * Judges by the buckets of a slot: policy i's own slot, or the slot of its second window. Sets
 * overflow if the packet's key has no bucket of its own.
 */
static __always_inline enum bucket_verdict
policy_judge(struct clock_source *source, struct packet *packet, __u32 i, __u32 flags, __u32 slot,
	     struct policy_parameters *parameters, _Bool *overflow)
{
	__u64 cost = policy_cost(flags, packet);
	enum bucket_verdict verdict;

	if (!(flags & POLICY_TABLED))
		return policy_judge_shared(source, slot, parameters, cost);
	verdict = policy_judge_keyed(source, packet, i, flags, slot, parameters, cost);
	if (verdict != BUCKET_NONE)
		return verdict;
	*overflow = 1;
	return policy_judge_overflow(source, slot, hook.policy[i].slot, cost);
}

/*
 * Judges by the parent bucket of policy i a packet that the packet's own bucket has found to
 * conform. A global function, so that its stack does not burden the path to the packet's own
 * bucket.
 */
__noinline int policy_judge_parent(struct clock_source *source, __u32 i, __u64 cost)
{
	struct policy_parameters *now_in_force;
	__u32 slot;

	if (!source || i >= MAX_HOOK_POLICIES)
		return BUCKET_CONFORM;
	slot = hook.policy[i].parent_slot;
	now_in_force = bpf_map_lookup_elem(&parameters, &slot);
	if (!now_in_force)
		return BUCKET_CONFORM;
	return policy_judge_shared(source, slot, now_in_force, cost);
}

/*
 * Gives back what the packet has spent from its own bucket, because the parent bucket refuses the
 * packet. Global for the same reason.
 */
__noinline int policy_refund(struct packet *packet, __u32 i, __u32 overflow)
{
	union table_key key = {};
	struct bucket *bucket;
	__u32 slot, flags;

	if (!packet || i >= MAX_HOOK_POLICIES)
		return 0;
	slot = hook.policy[i].slot;
	flags = hook.policy[i].flags & hook.features;
	policy_key(packet, i, flags, &key);
	if (overflow)
		bucket = bpf_map_lookup_elem(&shared_buckets, &slot);
	else if (flags & POLICY_EVICTS)
		bucket = table_evicting_find(slot, &key, flags & POLICY_WIDE_KEY);
	else
		bucket = table_find(hook.hash_key, slot, &key, flags & POLICY_WIDE_KEY);
	if (bucket)
		bucket_refund(bucket, policy_cost(flags, packet));
	return 0;
}

/* How a policy judged a packet. */
struct policy_finding {
	enum bucket_verdict verdict;
	_Bool overflow;	 /* the overflow bucket stood in for the packet's own */
	_Bool by_parent; /* the parent bucket refused, and the packet's own had not */
};

/*
 * Judges by the packet's own bucket, and then by the parent bucket if the policy has one. The
 * packet conforms if both say so, and spends from both or from none: a packet that exceeds its own
 * bucket does not reach the parent, and one that the parent refuses gets its tokens back.
 */
static __always_inline void policy_find(struct clock_source *source, struct packet *packet, __u32 i,
					__u32 flags, struct policy_parameters *parameters,
					struct policy_finding *found)
{
	found->verdict = policy_judge(source, packet, i, flags, hook.policy[i].slot, parameters,
				      &found->overflow);
	if (!(flags & POLICY_HAS_PARENT) || found->verdict != BUCKET_CONFORM)
		return;
	found->verdict = policy_judge_parent(source, i, policy_cost(flags, packet));
	if (found->verdict == BUCKET_CONFORM)
		return;
	found->by_parent = 1;
	policy_refund(packet, i, found->overflow);
}

/*
 * Whether a packet that exceeds policy i may be marked with CE. A second window of the same rate
 * and burst decides, so that two header bits can't defeat the limit.
 */
static __always_inline _Bool policy_may_mark(struct packet_context *context,
					     struct clock_source *source, struct packet *packet,
					     __u32 i)
{
	__u32 flags = hook.policy[i].flags & hook.features;
	__u32 slot = hook.policy[i].slot;
	struct policy_parameters *now_in_force;
	_Bool overflow;

	if ((flags & POLICY_SETS_DSCP) || !(flags & POLICY_MARKS_ECN) ||
	    !rewrite_is_ecn_capable(context, packet))
		return 0;
	now_in_force = bpf_map_lookup_elem(&parameters, &slot);
	return now_in_force && policy_judge(source, packet, i, flags, hook.policy[i].marking_slot,
					    now_in_force, &overflow) == BUCKET_CONFORM;
}

/*
 * Marks a packet that exceeds; returns whether the packet passes, marked. Under Audit the packet
 * stays unchanged. may_mark is the result of policy_may_mark().
 */
static __always_inline _Bool policy_marks(struct packet_context *context, struct packet *packet,
					  __u32 i, __u32 flags, _Bool may_mark)
{
	if (flags & POLICY_SETS_DSCP)
		return (flags & POLICY_AUDIT) ||
		       rewrite_set_dscp(context, packet, hook.policy[i].dscp);
	return may_mark && ((flags & POLICY_AUDIT) || rewrite_set_ce(context, packet));
}

static __always_inline void policy_count(__u32 slot, const struct packet *packet,
					 const struct policy_finding *found, _Bool marked)
{
	struct verdict_counters *count = bpf_map_lookup_elem(&counters, &slot);

	report_verdict(slot, found->verdict != BUCKET_CONFORM, found->overflow, marked,
		       found->by_parent);
	if (!count)
		return;
	if (found->overflow)
		count->overflow_packets += packet->segments;
	if (found->verdict == BUCKET_CONFORM) {
		count->conform_packets += packet->segments;
		count->conform_bytes += packet->bytes;
		return;
	}
	count->exceed_packets += packet->segments;
	count->exceed_bytes += packet->bytes;
	if (found->verdict == BUCKET_CONTENDED)
		count->contended_packets += packet->segments;
	if (found->by_parent)
		count->parent_exceed_packets += packet->segments;
	if (marked)
		count->marked_packets += packet->segments;
}

/* The decision of policy i on a packet: to pass it, one of enum policy_excess, or POLICY_MARK. */
#define POLICY_PASS 0
/* The packet exceeds, and policy_mark() decides. The bits above hold how the policy judged it. */
#define POLICY_MARK 2
#define POLICY_VERDICT_SHIFT 2
#define POLICY_OVERFLOW (1 << 4)
#define POLICY_BY_PARENT (1 << 7)

/* What happens to a packet that exceeds. */
enum policy_excess {
	POLICY_DROP = 1 << 0,
	POLICY_AUDITED = 1 << 5, /* passes unchanged, because the mode is Audit */
	POLICY_MARKED = 1 << 6,	 /* passes with CE or DSCP */
};

/*
 * Judges the packet, and counts it unless the decision is POLICY_MARK. features are all the
 * flags that a policy can have, known at load, so that the verifier removes what no policy of
 * the set uses.
 */
static __always_inline int policy_decide(struct clock_source *source, struct packet *packet,
					 __u32 i, __u32 features)
{
	__u32 slot = hook.policy[i].slot;
	__u32 flags = hook.policy[i].flags & features;
	struct policy_parameters *now_in_force = bpf_map_lookup_elem(&parameters, &slot);
	struct policy_finding found = {};

	if (!now_in_force)
		return POLICY_PASS;
	policy_find(source, packet, i, flags, now_in_force, &found);
	if (found.verdict != BUCKET_CONFORM && (flags & (POLICY_MARKS_ECN | POLICY_SETS_DSCP)))
		return POLICY_MARK | found.verdict << POLICY_VERDICT_SHIFT |
		       (found.overflow ? POLICY_OVERFLOW : 0) |
		       (found.by_parent ? POLICY_BY_PARENT : 0);
	policy_count(slot, packet, &found, 0);
	if (found.verdict == BUCKET_CONFORM)
		return POLICY_PASS;
	return flags & POLICY_AUDIT ? POLICY_AUDITED : POLICY_DROP;
}

/* Decides on a packet for which policy_decide() returned POLICY_MARK, and counts it. */
static __always_inline int policy_mark(struct packet_context *context, struct packet *packet,
				       __u32 i, int decided, _Bool may_mark)
{
	__u32 flags = hook.policy[i].flags & hook.features;
	_Bool marked = policy_marks(context, packet, i, flags, may_mark);
	struct policy_finding found = {
	    .verdict = decided >> POLICY_VERDICT_SHIFT & 3,
	    .overflow = !!(decided & POLICY_OVERFLOW),
	    .by_parent = !!(decided & POLICY_BY_PARENT),
	};

	policy_count(hook.policy[i].slot, packet, &found, marked);
	if (flags & POLICY_AUDIT)
		return POLICY_AUDITED;
	if (marked)
		return POLICY_MARKED;
	/* SetDSCP limits nothing, even if the packet can't be written. */
	return flags & POLICY_SETS_DSCP ? POLICY_PASS : POLICY_DROP;
}

#endif

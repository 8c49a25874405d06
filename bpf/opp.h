/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The Open Packet Processor abstraction (Bianchi et al., "Open Packet Processor", 2016): a flow key
 * selects a state and per-flow registers; conditions on registers, global registers and the packet
 * give bits; an XFSM table maps (state, bits) to (next state, update, action).
 *
 * The table is constant data indexed by the bits, so that a transition costs a load and no map
 * look-up. Nothing here depends on token buckets: a second stateful function brings its own states,
 * conditions, table and updates.
 */
#ifndef TB_OPP_H
#define TB_OPP_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>

/* A row of an XFSM table. The stateful function defines the numbers. */
struct opp_transition {
	__u8 next_state;
	__u8 update;
	__u8 action;
};

/* The index into a table with 2^condition_bits columns per state. */
#define OPP_INDEX(state, bits, condition_bits) (((state) << (condition_bits)) | (bits))

static __always_inline __u32 opp_condition(__u32 number, _Bool holds)
{
	return (__u32)holds << number;
}

/* rows is the table's length, a power of two. The mask bounds the index for the verifier. */
static __always_inline struct opp_transition opp_next(const struct opp_transition *xfsm, __u32 rows,
						      __u32 index)
{
	return xfsm[index & (rows - 1)];
}

#endif

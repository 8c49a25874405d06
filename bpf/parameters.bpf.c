// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * Changes a policy's parameters under traffic, in the two steps that parameters.h describes. The
 * agent runs this program through BPF_PROG_RUN, one step at a time. It proposes no earlier than a
 * grace period after the last step for the same slot. So no packet reads the line that is being
 * written, and no packet that read the clock before the last bend reads the line after the change.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"

/*
 * How far t0 has to be ahead once all CPUs see a proposal, in ns: more than the clocks of CPUs
 * differ.
 */
#define PROPOSAL_AHEAD 10000

enum change_step { CHANGE_PROPOSE, CHANGE_COMMIT };

/*
 * Written by the agent. This program computes v0 and rate_before of the line from the line in
 * force.
 */
struct parameter_change {
	__u32 slot;
	__u32 step;
	struct axis_line line;	   /* of a proposal */
	struct clock_source clock; /* of a proposal */
};

/*
 * A packet that reads a clock of t0 or later reads active afterwards, and so after this program's
 * look at the clock.
 */
static __always_inline int change_propose(struct policy_parameters *policy,
					  const struct parameter_change *change)
{
	__u64 active = policy->active & 1;
	const struct axis_line *old = &policy->line[active];
	struct axis_line *new = &policy->line[active ^ 1];

	if ((__s64)(clock_read(&change->clock) - old->t0) < 0)
		return -EAGAIN;
	*new = change->line;
	new->v0 = axis_value(old, new->t0);
	new->rate_before = old->rate;
	/* A full barrier: the whole line is in memory before active says so. */
	__sync_lock_test_and_set(&policy->active, active | PARAMETERS_PROPOSED);
	if ((__s64)(new->t0 - clock_read(&change->clock)) > PROPOSAL_AHEAD)
		return 0;
	parameters_swap(policy, active | PARAMETERS_PROPOSED, active);
	return -ETIME;
}

static __always_inline int change_commit(struct policy_parameters *policy)
{
	__u64 active = parameters_active(policy);

	if (!(active & PARAMETERS_PROPOSED) ||
	    parameters_swap(policy, active, ~active & 1) != active)
		return -ETIME;
	return 0;
}

/*
 * Returns 0, or an error that leaves the old parameters in force: -ENOENT: no such slot; -EINVAL:
 * no such step; -EAGAIN (propose only): the last bend is still ahead, and this line would extend
 * the rate after that bend to the time before it; -ETIME: the proposal came too late, or a packet
 * has refused it.
 */
SEC("syscall")
int change_parameters(struct parameter_change *change)
{
	__u32 slot = change->slot;
	struct policy_parameters *policy = bpf_map_lookup_elem(&parameters, &slot);

	if (!policy)
		return -ENOENT;
	switch (change->step) {
	case CHANGE_PROPOSE:
		return change_propose(policy, change);
	case CHANGE_COMMIT:
		return change_commit(policy);
	default:
		return -EINVAL;
	}
}

char _license[] SEC("license") = "GPL";

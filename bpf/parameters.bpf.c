// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * Changes a policy's parameters under traffic: bends the axis at a moment t0 that is still ahead.
 * Run by the agent, through BPF_PROG_RUN, one at a time, and at the earliest a grace period after
 * the last bend of the same slot: so no packet reads the line that is written here, and none that
 * read the clock before the last bend reads the line after.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"

/* Written by the agent. v0 and rate_before of the line are worked out here, from the line in force.
 */
struct parameter_change {
	__u32 slot;
	__u32 pad;
	struct axis_line line;
	struct clock_source clock;
};

/*
 * 0, or nothing was changed: -ENOENT: no such slot; -EAGAIN: the last bend is still ahead, and this
 * line would extend the rate behind it to the time before it; -ETIME: t0 is not ahead any more. The
 * line is whole in memory before the index flips: xchg is a full barrier.
 */
SEC("syscall")
int change_parameters(struct parameter_change *change)
{
	__u32 slot = change->slot;
	struct policy_parameters *policy = bpf_map_lookup_elem(&parameters, &slot);
	struct axis_line *old, *new;
	__u64 active, now;

	if (!policy)
		return -ENOENT;
	active = policy->active & 1;
	old = &policy->line[active];
	new = &policy->line[active ^ 1];
	now = clock_read(&change->clock);
	if ((__s64)(now - old->t0) < 0)
		return -EAGAIN;
	*new = change->line;
	new->v0 = axis_value(old, new->t0);
	new->rate_before = old->rate;
	if ((__s64)(new->t0 - clock_read(&change->clock)) <= 0)
		return -ETIME;
	__sync_lock_test_and_set(&policy->active, active ^ 1);
	return 0;
}

char _license[] SEC("license") = "GPL";

/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Which of a policy's two lines is in force, and how it is replaced under traffic.
 *
 * A change has two steps, run by the agent (parameters.bpf.c): it proposes a line that leaves the
 * old one at t0, a moment ahead, and then commits it. Until t0 both lines say the same, so either
 * does. From t0 on they don't, and each packet must have the new one, or the proposal must come to
 * nothing. So a packet that has read a clock of t0 or later and meets what is still a proposal
 * refuses it by compare-and-swap, and commit is a compare-and-swap too: one of them wins, however
 * late either is. A proposal that is found late itself is withdrawn in the same way.
 */
#ifndef TB_PARAMETERS_H
#define TB_PARAMETERS_H

#include "token_axis.h"

/* In active: the other line is proposed. */
#define PARAMETERS_PROPOSED 2

/*
 * line: written by propose alone, the one not in force, at the earliest a grace period after it was
 * in force. active: written by the agent before the slot's first use; then set by propose, and
 * changed by compare-and-swap by commit, by withdrawal, and by packets that refuse. The agent runs
 * one step at a time. A packet reads active once for all that it takes from a line, so that it sees
 * no mix of two sets.
 */
struct policy_parameters {
	struct axis_line line[2];
	__u64 active; /* index of the line in force, and PARAMETERS_PROPOSED */
};

static __always_inline __u64 parameters_active(const struct policy_parameters *parameters)
{
	return *(volatile const __u64 *)&parameters->active;
}

/* For a packet that has not read the clock. */
static __always_inline const struct axis_line *
parameters_line(const struct policy_parameters *parameters)
{
	return &parameters->line[parameters_active(parameters) & 1];
}

/* From active, as it was read, to what follows; what it was: the same where this has won. */
static __always_inline __u64 parameters_swap(struct policy_parameters *parameters, __u64 active,
					     __u64 next)
{
	return __sync_val_compare_and_swap(&parameters->active, active, next);
}

/*
 * For who has read the clock before: now. The line has to be asked for after the clock was read,
 * for the line that is in force at a moment covers all moments before, and none to come.
 */
static __always_inline const struct axis_line *
parameters_line_at(struct policy_parameters *parameters, __u64 now)
{
	__u64 active = parameters_active(parameters);

	if ((active & PARAMETERS_PROPOSED) && (__s64)(now - parameters->line[~active & 1].t0) >= 0)
		active = parameters_swap(parameters, active, active & 1);
	return &parameters->line[active & 1];
}

#endif

/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Which of a policy's two lines is in force, and how the agent replaces it under traffic.
 *
 * A change has two steps, run by the agent (parameters.bpf.c). Propose writes a line that leaves
 * the old one at t0, a moment ahead; commit puts that line in force. Until t0 both lines give the
 * same values, so either is right. From t0 on they differ: each packet must use the new line, or
 * the proposal must be void. So a packet that has read a clock of t0 or later and still finds a
 * proposal refuses it by compare-and-swap. Commit is a compare-and-swap too, so one of the two
 * wins, however late either is. Propose withdraws its own late proposal in the same way.
 */
#ifndef TB_PARAMETERS_H
#define TB_PARAMETERS_H

#include "token_axis.h"

/* A bit of active: the other line is proposed. */
#define PARAMETERS_PROPOSED 2

/*
 * line: only propose writes, and only the line that is not in force, at the earliest a grace period
 * after that line was in force. active: the agent writes it before the slot's first use; afterwards
 * propose sets it, and commit, withdrawal, and packets that refuse change it by compare-and-swap.
 * The agent runs one step at a time. A packet reads active once for all that it takes from a line,
 * so that the packet sees no mix of two parameter sets.
 */
struct policy_parameters {
	struct axis_line line[2];
	__u64 active; /* index of the line in force, and PARAMETERS_PROPOSED */
};

static __always_inline __u64 parameters_active(const struct policy_parameters *parameters)
{
	return *(volatile const __u64 *)&parameters->active;
}

/* The line in force, for a packet that has not read the clock. */
static __always_inline const struct axis_line *
parameters_line(const struct policy_parameters *parameters)
{
	return &parameters->line[parameters_active(parameters) & 1];
}

/*
 * Swaps active, as read before, for next. Returns the previous value, which equals active if this
 * swap won.
 */
static __always_inline __u64 parameters_swap(struct policy_parameters *parameters, __u64 active,
					     __u64 next)
{
	return __sync_val_compare_and_swap(&parameters->active, active, next);
}

/*
 * The line in force at now, for a caller that has already read the clock. The line has to be read
 * after the clock, because the line that is in force at a moment covers all earlier moments and
 * none to come.
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

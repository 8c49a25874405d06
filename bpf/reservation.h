/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * A reservation per CPU, for a bucket that all CPUs share. Each CPU takes some tokens in advance
 * and spends them without atomics and without a clock, so that CPUs don't compete for one cache
 * line.
 *
 * The tokens that a CPU holds are paid for from the bucket, and the window is narrower by all that
 * the CPUs together can hold, so B is never exceeded. Each CPU also remembers excess by itself
 * (token_bucket.h). CPUs * reserve is at most B/128, and so is CPUs * memory: together B/64. If
 * that leaves less than two packets per CPU, reserve is 0 and the bucket is judged like any other.
 * The same amount is then prepaid, since a step would show in an interval that spans a change of B.
 *
 * After B has shrunk, a CPU may hold more than the reserve now in force; then the CPU gives up all
 * of its tokens.
 */
#ifndef TB_RESERVATION_H
#define TB_RESERVATION_H

#include "token_bucket.h"

/*
 * One CPU's reservation, in a per-CPU map. Only this CPU's packets write it, and they don't
 * interleave, because a hook runs with bottom halves off. The agent zeroes it before a slot's first
 * use.
 */
struct reservation {
	__u64 held;   /* units */
	__u64 excess; /* EXCESS() */
};

/* Takes from the bucket the tokens due beyond those that this CPU holds, and a new reserve. */
static __always_inline enum bucket_verdict
reservation_try(const struct clock_source *source, struct reservation *mine, struct bucket *bucket,
		struct policy_parameters *parameters, __u64 cost, __u64 tick)
{
	__u64 pos = bucket_position(bucket), held = mine->held;
	__u64 due = cost - held, end;
	struct bucket_step step;

	bucket_step_now(source, parameters, pos, due,
			bucket_has_idled(source, bucket, parameters_line(parameters), tick), &step);
	if (held > step.line->reserve) {
		mine->held = 0;
		return BUCKET_CONTENDED;
	}
	if (step.next.update == BUCKET_STAY) {
		mine->excess = bucket_excess(&step, pos, tick);
		return step.next.action;
	}
	end = bucket_limit(step.base + due + step.line->reserve, step.v);
	if ((__s64)(end - (step.base + due)) < 0)
		end = step.base + due;
	bucket_keep_tick(bucket, step.line, tick);
	if (!bucket_swap(bucket, pos, end))
		return BUCKET_CONTENDED;
	mine->held = end - (step.base + due);
	return step.next.action;
}

/* Tries again. Rare, and a global function for the same reasons as bucket_try_again(). */
__noinline int reservation_try_again(struct clock_source *source, struct reservation *mine,
				     struct bucket *bucket, struct policy_parameters *parameters,
				     __u64 cost)
{
	if (!source || !mine || !bucket || !parameters)
		return BUCKET_CONTENDED;
	return reservation_try(source, mine, bucket, parameters, cost, clock_tick(source));
}

/*
 * Judges one packet by the CPU's reservation and, if that is not enough, by the bucket. bucket is
 * accessed only in the second case, so the caller may pass an address whose cache line is far away.
 */
static __always_inline enum bucket_verdict
reservation_judge(struct clock_source *source, struct reservation *mine, struct bucket *bucket,
		  struct policy_parameters *parameters, __u64 cost)
{
	const struct axis_line *line = parameters_line(parameters);
	__u64 held = mine->held;
	enum bucket_verdict verdict;
	__u64 tick;

	if (held > line->reserve)
		mine->held = held = 0;
	if (cost <= held) {
		mine->held = held - cost;
		return BUCKET_CONFORM;
	}
	if (!line->reserve)
		return bucket_judge(source, bucket, parameters, cost);
	tick = clock_tick(source);
	if (bucket_excess_covers(mine->excess, tick, line->memory, cost)) {
		mine->excess -= EXCESS_COST(cost);
		return BUCKET_EXCEED;
	}

	verdict = reservation_try(source, mine, bucket, parameters, cost, tick);
#pragma clang loop unroll(disable)
	for (int try = 1; try < BUCKET_TRIES && verdict == BUCKET_CONTENDED; try++)
		verdict = reservation_try_again(source, mine, bucket, parameters, cost);
	return verdict;
}

#endif

/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The two-colour token bucket as a sliding window, a stateful function on opp.h.
 *
 * A bucket is one position pos on the token axis. Its window is W = [pos, pos + B], and it holds
 * V(now) - pos tokens. A packet at V(now)
 *   in W:       conforms, W moves right by the packet's cost;
 *   right of W: conforms, the bucket was full: W is placed so that it ends at V(now), then moves;
 *   left of W:  exceeds, W stays.
 *
 * Prepaid batches: lim says how far pos may move without a look at the clock. Every value written
 * to lim is at most V at the time of writing, and a packet counts as prepaid only up to a batch
 * before lim. So a late write of lim grants nothing that was not granted, and lim needs no atomics.
 * The window is narrower by the amount that may be prepaid, so that B is never exceeded. The bound
 * held: B + Q * D tokens, plus one packet, in any interval D, on any number of CPUs, to two units
 * of the axis.
 *
 * Remembered excess: a packet that exceeds by the clock stands for the packets right after it in
 * the same tick, up to `memory` tokens, and these packets need no clock. memory is at most B/64. It
 * is 0 if the rate grants more than that in a tick, or if the bucket holds more: a packet of many
 * segments that exceeds says nothing about smaller ones. So a packet is refused unseen only if the
 * bucket holds less than the packet's cost and B/64. No token is lost that way, and the rate stays
 * Q. Under lasting demand, which brings packets as fast as tokens come, that holds however long a
 * tick lasts.
 *
 * Idling: after most of a turn of the axis, a position looks ahead of V again. So if a turn is
 * shorter than years, a packet that moves the bucket stores its tick beside the excess before the
 * bucket moves: a CPU that sees the position sees the tick. A bucket is full once it was left alone
 * for part of a turn, and for as long as it takes to fill under the line in force.
 *
 * Refund: a packet that conforms here and is refused by the parent bucket (policy.h) gives its cost
 * back: pos goes back by the cost, by compare-and-swap. If the bucket has filled since, the refund
 * makes it hold more than B, and the next packet places W at V(now), as for any full bucket. So a
 * refund adds nothing to what the bucket grants in the long run. The bound is wider by one packet
 * for each CPU that is between the two buckets when the interval begins.
 *
 * Removal: a bucket that is full equals none. sweep.bpf.c removes, and so does a packet that needs
 * room in a full table (tables.h). Either marks the bucket by a compare-and-swap on pos, which
 * fails if a packet came in between, and then deletes the bucket. A packet that meets the mark
 * spends nothing from a bucket that is about to be forgotten.
 */
#ifndef TB_TOKEN_BUCKET_H
#define TB_TOKEN_BUCKET_H

#include "opp.h"
#include "clock.h"
#include "parameters.h"

/* Tries to win the race for a bucket, after which a packet exceeds and counts as contended. */
#define BUCKET_TRIES 16

/*
 * How far ahead of V(now) a position can be: by the debt of a super-packet, or because a clock
 * reading is old. Anything further "ahead" is a bucket that has idled for part of a turn of the
 * axis: full.
 */
#define BUCKET_AHEAD (1ULL << 58)

/*
 * Positions are even, like V, windows and costs; an odd one is the mark. The mark lies so far ahead
 * of every lim that a marked bucket never looks prepaid, so only a packet that can't spend prepaid
 * tokens checks for the mark.
 */
#define BUCKET_MARK(pos) (((pos) | 1) + (1ULL << 62))
#define BUCKET_IS_MARKED(pos) ((pos)&1)

/*
 * The registers of one flow. pos: any CPU changes it by compare-and-swap; a CPU that removes the
 * key marks it in the same way, and alone takes the mark back; only the agent zeroes it, before a
 * policy's first packet. lim: the CPU that won pos writes it with a plain store. excess: a CPU that
 * found excess or is about to move the bucket writes it with a plain store; a CPU that draws on it
 * uses compare-and-swap. A zeroed bucket is a full one.
 */
struct bucket {
	__u64 pos;
	__u64 lim;
	__u64 excess; /* EXCESS() */
};

/*
 * A tick, and the tokens that count as exceeding for the rest of that tick. The tick has 40 bits
 * and the tokens 24, in steps of 2^8 units; a packet's cost is rounded up to whole steps.
 */
#define EXCESS_STEP_SHIFT 8
#define EXCESS_STEP_BITS 24
#define EXCESS(tick, units) ((tick) << EXCESS_STEP_BITS | (units) >> EXCESS_STEP_SHIFT)
#define EXCESS_TICK(excess) ((excess) >> EXCESS_STEP_BITS)
#define EXCESS_STEPS(excess) ((excess) & ((1ULL << EXCESS_STEP_BITS) - 1))
#define EXCESS_COST(cost) (((cost) + (1 << EXCESS_STEP_SHIFT) - 1) >> EXCESS_STEP_SHIFT)

/*
 * Longest time, in ns, considered for whether a bucket has filled. At 10 Gpps this time grants less
 * than a turn.
 */
#define BUCKET_LONGEST_FILL (1ULL << 43)

enum bucket_verdict {
	BUCKET_CONFORM,
	BUCKET_EXCEED,
	/* Other packets won each race for the bucket. */
	BUCKET_CONTENDED,
	/* The key has no bucket, or its bucket is being removed: nothing is judged. */
	BUCKET_NONE
};

enum bucket_state { BUCKET_METERED, BUCKET_STATES };

enum bucket_update { BUCKET_STAY, BUCKET_MOVE, BUCKET_PLACE_ANEW };

/* Condition 0: V(now) is not left of W for this cost. Condition 1: V(now) is right of W. */
#define BUCKET_CONDITIONS 2
#define BUCKET_FULL 3 /* both */
#define BUCKET_ROWS (BUCKET_STATES << BUCKET_CONDITIONS)

static const struct opp_transition bucket_xfsm[BUCKET_ROWS] = {
    [OPP_INDEX(BUCKET_METERED, 0, 2)] = {BUCKET_METERED, BUCKET_STAY, BUCKET_EXCEED},
    [OPP_INDEX(BUCKET_METERED, 1, 2)] = {BUCKET_METERED, BUCKET_MOVE, BUCKET_CONFORM},
    /* Right of W but short of the cost can't happen: the cost compared is at most the window. */
    [OPP_INDEX(BUCKET_METERED, 2, 2)] = {BUCKET_METERED, BUCKET_PLACE_ANEW, BUCKET_CONFORM},
    [OPP_INDEX(BUCKET_METERED, 3, 2)] = {BUCKET_METERED, BUCKET_PLACE_ANEW, BUCKET_CONFORM},
};

/*
 * A packet that costs more than the window conforms if the bucket is full, and leaves the rest as
 * debt.
 */
static __always_inline __u32 bucket_conditions(const struct axis_line *line, __u64 held, __u64 cost)
{
	__u64 needed = cost < line->window ? cost : line->window;
	_Bool ahead = held > -BUCKET_AHEAD;

	return opp_condition(0, !ahead && held >= needed) |
	       opp_condition(1, !ahead && held > line->window);
}

/*
 * Whether lim covers the packet. The prepaid amount is at most the amount that narrows the window:
 * after B has shrunk, a larger one counts as none.
 */
static __always_inline _Bool bucket_is_prepaid(const struct axis_line *line, __u64 pos, __u64 lim,
					       __u64 cost)
{
	__s64 prepaid = lim - pos;

	return prepaid >= (__s64)cost && prepaid <= (__s64)(line->burst - line->window);
}

/* The nearer of the two: no tokens are handed out beyond end, nor before they were granted. */
static __always_inline __u64 bucket_limit(__u64 end, __u64 v)
{
	return (__s64)(v - end) < 0 ? v : end;
}

/*
 * Whether the excess found before covers this packet: in this tick, and under the parameters now in
 * force.
 */
static __always_inline _Bool bucket_excess_covers(__u64 excess, __u64 tick, __u32 memory,
						  __u64 cost)
{
	return EXCESS_TICK(excess) == tick && EXCESS_STEPS(excess) >= EXCESS_COST(cost) &&
	       EXCESS_STEPS(excess) <= memory >> EXCESS_STEP_SHIFT;
}

static __always_inline _Bool bucket_is_in_excess(struct bucket *bucket,
						 const struct axis_line *line, __u64 tick,
						 __u64 cost)
{
	__u64 excess = *(volatile __u64 *)&bucket->excess;

	return bucket_excess_covers(excess, tick, line->memory, cost) &&
	       __sync_val_compare_and_swap(&bucket->excess, excess, excess - EXCESS_COST(cost)) ==
		   excess;
}

/*
 * Whether the line has filled its bucket in the time since it bent. A separate function, because
 * this is rare.
 */
__noinline int bucket_fills(struct clock_source *source, struct axis_line *line)
{
	__u64 since;

	if (!source || !line)
		return 0;
	since = clock_read(source) - line->t0;
	if ((__s64)since < 0)
		return 0;
	if (since > BUCKET_LONGEST_FILL)
		since = BUCKET_LONGEST_FILL;
	return axis_multiply(since, line->rate) >= line->burst;
}

/*
 * Whether a bucket was left alone for long enough to be full, whatever the axis says. The caller
 * has read the position before. idle is negative if another CPU, a tick ahead, has moved the
 * bucket.
 */
static __always_inline _Bool bucket_has_idled(const struct clock_source *source,
					      const struct bucket *bucket,
					      const struct axis_line *line, __u64 tick)
{
	__s64 idle = tick - EXCESS_TICK(*(volatile __u64 *)&bucket->excess);

	return line->idle && idle >= (__s64)line->idle &&
	       bucket_fills((struct clock_source *)source, (struct axis_line *)line);
}

/* Stores the tick; called before the bucket moves. */
static __always_inline void bucket_keep_tick(struct bucket *bucket, const struct axis_line *line,
					     __u64 tick)
{
	if (line->idle)
		*(volatile __u64 *)&bucket->excess = EXCESS(tick, 0);
}

static __always_inline _Bool bucket_swap(struct bucket *bucket, __u64 old, __u64 new)
{
	return __sync_val_compare_and_swap(&bucket->pos, old, new) == old;
}

/* An unused bucket: full at now, with nothing prepaid. */
static __always_inline struct bucket bucket_full(struct policy_parameters *parameters, __u64 now)
{
	const struct axis_line *line = parameters_line_at(parameters, now);
	__u64 base = axis_value(line, now) - line->window;

	return (struct bucket){.pos = base, .lim = base, .excess = 0};
}

/* How a packet meets the bucket: the XFSM's row, and the window's place before the window moves. */
struct bucket_step {
	const struct axis_line *line;
	struct opp_transition next;
	__u64 v;
	__u64 base;
};

static __always_inline void bucket_step_now(const struct clock_source *source,
					    struct policy_parameters *parameters, __u64 pos,
					    __u64 cost, _Bool idled, struct bucket_step *step)
{
	__u64 now = clock_read(source);
	const struct axis_line *line = parameters_line_at(parameters, now);
	__u64 v = axis_value(line, now);
	__u32 bits = idled ? BUCKET_FULL : bucket_conditions(line, v - pos, cost);

	step->line = line;
	step->v = v;
	step->next =
	    opp_next(bucket_xfsm, BUCKET_ROWS, OPP_INDEX(BUCKET_METERED, bits, BUCKET_CONDITIONS));
	step->base = step->next.update == BUCKET_PLACE_ANEW ? v - line->window : pos;
}

/* The excess to remember for a packet that was found to exceed. */
static __always_inline __u64 bucket_excess(const struct bucket_step *step, __u64 pos, __u64 tick)
{
	_Bool drained = (__s64)(step->v - pos) < (__s64)step->line->memory;

	return EXCESS(tick, drained ? step->line->memory : 0);
}

static __always_inline __u64 bucket_position(const struct bucket *bucket)
{
	return *(const volatile __u64 *)&bucket->pos;
}

/*
 * Tries to judge one packet by the bucket at pos, as read before. BUCKET_NONE and
 * BUCKET_CONTENDED judge nothing; BUCKET_CONTENDED means that the bucket is not at pos any more.
 * cost is in units of the axis. The parameters are read after the bucket: a packet with old
 * parameters then loses the race to any packet that came after the commit, so not every CPU can
 * carry a prepaid packet across a change that makes B smaller.
 */
static __always_inline enum bucket_verdict bucket_try(const struct clock_source *source,
						      struct bucket *bucket, __u64 pos,
						      struct policy_parameters *parameters,
						      __u64 cost)
{
	__u64 lim = *(volatile __u64 *)&bucket->lim;
	const struct axis_line *line = parameters_line(parameters);
	struct bucket_step step;
	__u64 tick;

	if (bucket_is_prepaid(line, pos, lim, cost))
		return bucket_swap(bucket, pos, pos + cost) ? BUCKET_CONFORM : BUCKET_CONTENDED;
	if (BUCKET_IS_MARKED(pos))
		return BUCKET_NONE;
	tick = clock_tick(source);
	if (bucket_is_in_excess(bucket, line, tick, cost))
		return BUCKET_EXCEED;
	bucket_step_now(source, parameters, pos, cost, bucket_has_idled(source, bucket, line, tick),
			&step);
	if (step.next.update == BUCKET_STAY) {
		*(volatile __u64 *)&bucket->excess = bucket_excess(&step, pos, tick);
		return step.next.action;
	}
	bucket_keep_tick(bucket, step.line, tick);
	if (!bucket_swap(bucket, pos, step.base + cost))
		return BUCKET_CONTENDED;
	*(volatile __u64 *)&bucket->lim = bucket_limit(step.base + step.line->batch, step.v);
	return step.next.action;
}

/*
 * Tries again to judge a packet that lost the race for its bucket. Rare, and a global function, so
 * that the verifier walks it once, whatever the number of tries and callers.
 */
__noinline int bucket_try_again(struct clock_source *source, struct bucket *bucket,
				struct policy_parameters *parameters, __u64 cost)
{
	if (!source || !bucket || !parameters)
		return BUCKET_CONTENDED;
	return bucket_try(source, bucket, bucket_position(bucket), parameters, cost);
}

/* Judges one packet by a bucket that stays where it is. BUCKET_NONE judges nothing. */
static __always_inline enum bucket_verdict bucket_judge(struct clock_source *source,
							struct bucket *bucket,
							struct policy_parameters *parameters,
							__u64 cost)
{
	enum bucket_verdict verdict =
	    bucket_try(source, bucket, bucket_position(bucket), parameters, cost);

#pragma clang loop unroll(disable)
	for (int try = 1; try < BUCKET_TRIES && verdict == BUCKET_CONTENDED; try++)
		verdict = bucket_try_again(source, bucket, parameters, cost);
	return verdict;
}

/*
 * Gives the cost of a packet back to the bucket that the packet has just spent it from. Gives
 * nothing back to a bucket that is being removed, since only a full one is, nor after losing every
 * race: then the key has a packet less.
 */
static __always_inline void bucket_refund(struct bucket *bucket, __u64 cost)
{
#pragma clang loop unroll(disable)
	for (int try = 0; try < BUCKET_TRIES; try++) {
		__u64 pos = bucket_position(bucket);

		if (BUCKET_IS_MARKED(pos) || bucket_swap(bucket, pos, pos - cost))
			return;
	}
}

/*
 * How many units more than B a bucket at pos would hold if it could, plus one: the larger, the
 * longer it has been full. Zero if the bucket is not full, or is being removed; also if it has
 * idled for so long that the axis has turned. v is V(now).
 */
static __always_inline __u64 bucket_spare(const struct axis_line *line, __u64 v, __u64 pos)
{
	__u64 held = v - pos;

	if (BUCKET_IS_MARKED(pos) || held > -BUCKET_AHEAD || held < line->burst)
		return 0;
	return held - line->burst + 1;
}

/*
 * Marks a bucket that holds all of B at now; false if the bucket holds less than that, or is not at
 * pos any more. The CPU that marks a bucket removes its key, or takes the mark back.
 */
static __always_inline _Bool bucket_mark_full(const struct clock_source *source,
					      struct bucket *bucket, __u64 pos,
					      struct policy_parameters *parameters)
{
	__u64 now = clock_read(source);
	const struct axis_line *line = parameters_line_at(parameters, now);

	if (BUCKET_IS_MARKED(pos))
		return 0;
	if (!bucket_spare(line, axis_value(line, now), pos) &&
	    !bucket_has_idled(source, bucket, line, clock_tick(source)))
		return 0;
	return bucket_swap(bucket, pos, BUCKET_MARK(pos));
}

/* Takes back a mark whose key could not be removed. Meanwhile no packet has moved the bucket. */
static __always_inline void bucket_unmark(struct bucket *bucket, __u64 pos)
{
	*(volatile __u64 *)&bucket->pos = pos;
}

#endif

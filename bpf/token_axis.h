/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The axis that windows slide on, measured in tokens: V(t) is what a policy has granted by time t.
 *
 * Units: a packet is 2^16 units, a byte 2^4. A rate is in units per nanosecond with 40 fractional
 * bits: from 8 bit/s and 1 packet/s to 10 Tbit/s and 10 Gpps. V(t) is rounded down to an even unit;
 * an odd position is a mark (token_bucket.h). Positions wrap at 2^64; only differences are ever
 * compared. A turn takes 7.8 hours at 10 Gpps and years below 3 Mpps; ticks detect a bucket that
 * idles for as long (token_bucket.h).
 */
#ifndef TB_TOKEN_AXIS_H
#define TB_TOKEN_AXIS_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>

enum axis_scale {
	AXIS_PACKET_SHIFT = 16,
	AXIS_BYTE_SHIFT = 4,
	AXIS_RATE_FRACTION = 40,
};

/* One whole set of parameters. parameters.h says which code writes it. */
struct axis_line {
	__u64 v0; /* V(t0), units */
	/* Where the line bends: ns, CLOCK_MONOTONIC. */
	__u64 t0;
	/* Rate of the previous line, for t < t0: units/ns << 40. */
	__u64 rate_before;
	/* Rate for t >= t0: units/ns << 40. */
	__u64 rate;
	/* W, in units: B minus the units that may be prepaid or held in reserve. */
	__u64 window;
	__u64 burst; /* B, units */
	/* Units that may be prepaid from one bucket; 0 if none are. */
	__u32 batch;
	/* Units that one CPU may hold in reserve; 0 if none does. */
	__u32 reserve;
	/* Excess that a bucket, or a CPU with a reserve, may remember, in units. */
	__u32 memory;
	/* Ticks after which an unused bucket is full, whatever the axis says; 0: never. */
	__u32 idle;
	/* Generation of the policy that these parameters belong to. */
	__u64 generation;
};

/* (a * b) >> 40, modulo 2^64, by four 32-bit multiplications: BPF has no 128-bit product. */
static __always_inline __u64 axis_multiply(__u64 a, __u64 b)
{
	__u64 a_low = (__u32)a, a_high = a >> 32;
	__u64 b_low = (__u32)b, b_high = b >> 32;
	__u64 low = a_low * b_low;
	__u64 middle = a_high * b_low + (low >> 32);
	__u64 cross = a_low * b_high + (__u32)middle;
	__u64 high = a_high * b_high + (middle >> 32) + (cross >> 32);
	__u64 low_word = (cross << 32) | (__u32)low;

	return (high << (64 - AXIS_RATE_FRACTION)) | (low_word >> AXIS_RATE_FRACTION);
}

/*
 * V(now), even. The time before t0 is judged by the rate before t0, so an old clock reading bends
 * no line.
 */
static __always_inline __u64 axis_value(const struct axis_line *line, __u64 now)
{
	__u64 v = (__s64)(now - line->t0) < 0
		      ? line->v0 - axis_multiply(line->t0 - now, line->rate_before)
		      : line->v0 + axis_multiply(now - line->t0, line->rate);

	return v & ~1ULL;
}

#endif

/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The axis that windows slide on, measured in tokens: V(t) is what a policy has granted by time t.
 *
 * Units: a packet is 2^16 units, a byte 2^4. A rate is in units a nanosecond with 40 fractional
 * bits: from 8 bit/s and 1 packet/s to 10 Tbit/s and 10 Gpps. V(t) is rounded down to an even
 * unit; an odd position is a mark (token_bucket.h).
 * Positions wrap at 2^64; only differences are ever compared. A turn takes 7.8 hours at 10 Gpps and
 * years below 3 Mpps: what is idle for as long is told by ticks (token_bucket.h).
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

/* One whole set of parameters; who writes it is told in parameters.h. */
struct axis_line {
	__u64 v0;	   /* V(t0), units */
	__u64 t0;	   /* ns, CLOCK_MONOTONIC: where the line bends */
	__u64 rate_before; /* units/ns << 40, for t < t0: the line that came before */
	__u64 rate;	   /* units/ns << 40, for t >= t0 */
	__u64 window;	   /* W: B less what may be prepaid or held in reserve, units */
	__u64 burst;	   /* B, units */
	__u32 batch;	   /* what may be prepaid of one bucket, units; 0 where nothing is */
	__u32 reserve;	   /* what one CPU may hold in reserve, units; 0 where none does */
	__u32 memory;	   /* excess that a bucket, or with a reserve a CPU, may remember, units */
	__u32
	    idle; /* ticks after which an unused bucket is full, whatever the axis says; 0: never */
	__u64 generation; /* of the policy that these parameters are of */
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

/* V(now), even. The time before t0 is judged by the rate before it, so a reading that is old bends
 * no line. */
static __always_inline __u64 axis_value(const struct axis_line *line, __u64 now)
{
	__u64 v = (__s64)(now - line->t0) < 0
		      ? line->v0 - axis_multiply(line->t0 - now, line->rate_before)
		      : line->v0 + axis_multiply(now - line->t0, line->rate);

	return v & ~1ULL;
}

#endif

/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The packet's time, in nanoseconds. By default the kernel's monotonic clock; with
 * TB_CLOCK_FROM_TIMESTAMP the time stamp that the caller put on the packet, which makes time
 * virtual under BPF_PROG_TEST_RUN: for tests, and for the replay of a capture.
 */
#ifndef TB_CLOCK_H
#define TB_CLOCK_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>

struct clock_source { /* used under TB_CLOCK_FROM_TIMESTAMP alone */
	__u64 timestamp;
	__u32 late_ticks; /* by how many ticks clock_tick() is behind */
	__u32 pad;
};

static __always_inline __u64 clock_read(const struct clock_source *source)
{
#ifdef TB_CLOCK_FROM_TIMESTAMP
	return source->timestamp;
#else
	return bpf_ktime_get_ns();
#endif
}

/*
 * The number of the tick: coarse, for it lags by some ticks where a CPU is kept busy, but a load
 * where the clock is a call. Two readings that differ are of different moments. A tick is 1 to 10
 * ms, under the virtual clock 2^22 ns.
 */
static __always_inline __u64 clock_tick(const struct clock_source *source)
{
#ifdef TB_CLOCK_FROM_TIMESTAMP
	return (source->timestamp >> 22) - source->late_ticks;
#else
	return bpf_jiffies64();
#endif
}

#endif

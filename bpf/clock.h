/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The packet's time, in nanoseconds. The default is the kernel's monotonic clock. With
 * TB_CLOCK_FROM_TIMESTAMP, the time is the timestamp that the caller put on the packet, which makes
 * time virtual under BPF_PROG_TEST_RUN, for tests and for the replay of a capture.
 */
#ifndef TB_CLOCK_H
#define TB_CLOCK_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>

/* Used only under TB_CLOCK_FROM_TIMESTAMP. */
struct clock_source {
	__u64 timestamp;
	__u32 late_ticks; /* ticks that clock_tick() lags */
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
 * The number of the current tick. The tick is coarse, because it lags by some ticks while a CPU is
 * busy, but reading the tick is a load, whereas reading the clock is a call. Two different readings
 * come from different moments. A tick is 1 to 10 ms; under the virtual clock, 2^22 ns.
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

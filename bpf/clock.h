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

struct clock_source {
	__u64 timestamp; /* used under TB_CLOCK_FROM_TIMESTAMP alone */
};

static __always_inline __u64 clock_read(const struct clock_source *source)
{
#ifdef TB_CLOCK_FROM_TIMESTAMP
	return source->timestamp;
#else
	return bpf_ktime_get_ns();
#endif
}

#endif

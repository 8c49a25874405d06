// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* One exact clock reading and nothing else: the unit that no choice of textbook can flatter. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int clock_reading(struct __sk_buff *skb)
{
	/* The verdict depends on it, so that the reading is not removed. */
	return bpf_ktime_get_ns() ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

char _license[] SEC("license") = "GPL";

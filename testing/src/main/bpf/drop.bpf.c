// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Drop everything unseen: what no limiter at the same hook can be faster than. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int drop(struct __sk_buff *skb)
{
	return TC_ACT_SHOT;
}

SEC("xdp")
int drop_at_xdp(struct xdp_md *xdp)
{
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* What a run costs that does nothing: subtracted from every other program's time. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int empty(struct __sk_buff *skb)
{
	return TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "GPL";

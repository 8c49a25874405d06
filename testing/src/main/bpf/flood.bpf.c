// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * Sends each frame it is run on into a device, from one of so many source addresses in turn. Run
 * with BPF_F_TEST_XDP_LIVE_FRAMES, it makes millions of packets a second.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Set before load. */
struct flood {
	__u32 ifindex;
	__u32 source_mask; /* the number of sources, a power of two, less 1 */
};

const volatile struct flood flood SEC(".rodata.flood");

static __u32 sent;

SEC("xdp")
int send_flood(struct xdp_md *context)
{
	void *data = (void *)(long)context->data;
	struct iphdr *ip = data + sizeof(struct ethhdr);
	__u16 source;

	if ((void *)(ip + 1) > (void *)(long)context->data_end)
		return XDP_DROP;
	/* The identification is its complement, so that the header's checksum stays right. */
	source = sent++ & flood.source_mask;
	((__be16 *)&ip->saddr)[1] = bpf_htons(source);
	ip->id = bpf_htons(~source);
	return bpf_redirect(flood.ifindex, 0);
}

char _license[] SEC("license") = "GPL";

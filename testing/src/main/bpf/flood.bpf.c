// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * Sends each frame it is run on into a device, from one of many source addresses, in turn or at
 * random. Run with BPF_F_TEST_XDP_LIVE_FRAMES, it makes millions of packets per second.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Set before load. */
struct flood {
	__u32 ifindex;
	__u32 source_mask; /* the bits of the address that change */
	__u32 random;	   /* whether they change at random, not in turn */
};

const volatile struct flood flood SEC(".rodata.flood");

/* The frame's own address, which the kept bits are from: 10.77.10.2 of
 * UdpFrame. */
#define BASE 0x0a4d0a02
#define BASE_HIGH (BASE >> 16)

static __u32 sent;

/*
 * The identification that keeps the header's checksum right, in the one's complement arithmetic of
 * RFC 1071. In the frame as given it is the complement of the address's lower half.
 */
static __always_inline __u16 identification(__u32 source)
{
	__u32 sum = BASE_HIGH + (__u16) ~(source >> 16) + (__u16)~source;

	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

SEC("xdp")
int send_flood(struct xdp_md *context)
{
	void *data = (void *)(long)context->data;
	struct iphdr *ip = data + sizeof(struct ethhdr);
	__u32 source;

	if ((void *)(ip + 1) > (void *)(long)context->data_end)
		return XDP_DROP;
	source = flood.random ? bpf_get_prandom_u32() : sent++;
	source = (BASE & ~flood.source_mask) | (source & flood.source_mask);
	ip->saddr = bpf_htonl(source);
	ip->id = bpf_htons(identification(source));
	return bpf_redirect(flood.ifindex, 0);
}

char _license[] SEC("license") = "GPL";

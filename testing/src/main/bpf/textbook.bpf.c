// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * The textbook: a token bucket as an Open Packet Processor state machine, written from the
 * published description (Bianchi et al., "Open Packet Processor", 2016) in the plain way, each
 * table of the model being a map. What the classifier is measured against; nothing limits with it.
 *
 * A flow's window is [tmin, tmax] in nanoseconds, tmax - tmin = B / Q. For a packet at t:
 *   t in W:	 conforms, W moves right by 1 / Q;
 *   right of W: conforms, W moves so that it ends 1 / Q right of t;
 *   left of W:	 exceeds, W stays.
 * The state and its registers are written back with each packet, as the model's update stage does.
 * No compare-and-swap: two CPUs on one flow lose updates.
 *
 * The key is one of KEY_NODE, KEY_SOURCE, KEY_FLOW, by -DKEY=.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define KEY_NODE 0
#define KEY_SOURCE 1
#define KEY_FLOW 2

#define MAX_FLOWS 65536

#define STATE_DEFAULT 0

#define IN_OR_RIGHT_OF_W (1 << 0) /* t >= tmin */
#define RIGHT_OF_W (1 << 1)	  /* t > tmax */

enum update { UPDATE_STAY, UPDATE_MOVE, UPDATE_PLACE_ANEW };

enum action { ACTION_DROP, ACTION_PASS };

struct flow_key {
	__be32 source;
#if KEY == KEY_FLOW
	__be32 destination;
	__be16 source_port;
	__be16 destination_port;
	__u32 protocol;
#endif
};

/* A flow's context: its state and its registers R. */
struct flow_context {
	__u64 state;
	__u64 tmin;
	__u64 tmax;
};

struct xfsm_key {
	__u16 state;
	__u16 conditions;
};

struct xfsm_entry {
	__u32 next_state;
	__u32 update;
	__u32 action;
};

/* The global registers G. */
struct globals {
	__u64 packet_nanos; /* 1 / Q */
	__u64 window_nanos; /* B / Q */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_FLOWS);
	__type(key, struct flow_key);
	__type(value, struct flow_context);
} flow_contexts SEC(".maps");

/* Filled by the process that loads the program. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, struct xfsm_key);
	__type(value, struct xfsm_entry);
} xfsm SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct globals);
} global_registers SEC(".maps");

/* By action. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} packets SEC(".maps");

static __always_inline _Bool extract_key(struct __sk_buff *skb, struct flow_key *key)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	struct ethhdr *ethernet = data;
	struct iphdr *ip = data + sizeof(*ethernet);

	if ((void *)(ip + 1) > end || ethernet->h_proto != bpf_htons(ETH_P_IP))
		return 0;
#if KEY != KEY_NODE
	key->source = ip->saddr;
#endif
#if KEY == KEY_FLOW
	struct udphdr *transport = (void *)(ip + 1);

	if (ip->ihl != 5 || (void *)(transport + 1) > end)
		return 0;
	key->destination = ip->daddr;
	key->protocol = ip->protocol;
	key->source_port = transport->source;
	key->destination_port = transport->dest;
#endif
	return 1;
}

/* Signed, since a window may reach back to before the clock's zero. */
static __always_inline __u16 evaluate_conditions(const struct flow_context *flow, __u64 now)
{
	return ((__s64)(now - flow->tmin) >= 0 ? IN_OR_RIGHT_OF_W : 0) |
	       ((__s64)(now - flow->tmax) > 0 ? RIGHT_OF_W : 0);
}

static __always_inline void update_registers(struct flow_context *flow, enum update update,
					     const struct globals *globals, __u64 now)
{
	if (update == UPDATE_MOVE) {
		flow->tmin += globals->packet_nanos;
		flow->tmax += globals->packet_nanos;
	} else if (update == UPDATE_PLACE_ANEW) {
		flow->tmax = now + globals->packet_nanos;
		flow->tmin = flow->tmax - globals->window_nanos;
	}
}

SEC("tc")
int textbook(struct __sk_buff *skb)
{
	__u32 only = 0;
	struct flow_key key = {};
	struct flow_context flow = {.state = STATE_DEFAULT};
	struct xfsm_key transition = {};
	struct flow_context *found;
	struct xfsm_entry *next;
	struct globals *globals;
	__u64 *count;
	__u64 now;

	if (!extract_key(skb, &key))
		return TC_ACT_UNSPEC;

	found = bpf_map_lookup_elem(&flow_contexts, &key);
	if (found)
		flow = *found;
	globals = bpf_map_lookup_elem(&global_registers, &only);
	if (!globals)
		return TC_ACT_UNSPEC;

	now = bpf_ktime_get_ns();
	transition.state = flow.state;
	transition.conditions = evaluate_conditions(&flow, now);
	next = bpf_map_lookup_elem(&xfsm, &transition);
	if (!next)
		return TC_ACT_UNSPEC;

	update_registers(&flow, next->update, globals, now);
	flow.state = next->next_state;
	bpf_map_update_elem(&flow_contexts, &key, &flow, BPF_ANY);

	count = bpf_map_lookup_elem(&packets, &next->action);
	if (count)
		(*count)++;
	return next->action == ACTION_PASS ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

char _license[] SEC("license") = "GPL";

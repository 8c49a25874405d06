/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Shows packets that exceed a policy to a command that observes them (tb observe). Without an
 * observer such a packet costs one look-up more; a packet that conforms never gets here.
 */
#ifndef TB_OBSERVE_H
#define TB_OBSERVE_H

#include "hook.h"
#include "maps.h"
#include "parse.h"
#include "policy.h"

enum observed_direction {
	OBSERVED_INGRESS = 1 << 0,
	OBSERVED_EGRESS = 1 << 1,
};

#define OBSERVED_SLOT_WORDS ((MAX_SLOTS + 63) / 64)

/*
 * Which packets the observer asks for. The observer writes everything but credit before its ring
 * is in place.
 */
struct observation {
	/*
	 * How many events may still be sent; signed. The observer sets it once per second, and the
	 * classifier subtracts atomically. So events are bounded without a clock, and end within a
	 * second after an observer that was killed.
	 */
	__u64 credit;
	__u32 sample;	  /* one event of this many per CPU; 0 and 1: each */
	__u32 ifindex;	  /* 0: every interface */
	__u32 directions; /* of enum observed_direction */
	__u32 pad;
	__u64 slots[OBSERVED_SLOT_WORDS]; /* policies' slots, one bit each */
};

/*
 * Only the classifier writes the counters, per CPU; the observer zeroes them before its ring is in
 * place. seen is the sum of the other three and of the events sent.
 */
struct observation_counters {
	__u64 seen;
	__u64 sampled_out;
	__u64 over_rate; /* no credit was left */
	__u64 lost;	 /* the ring was full */
};

/* A packet that exceeds. Addresses and ports are as in struct packet. */
struct excess_event {
	__u64 time; /* CLOCK_MONOTONIC, in nanoseconds */
	__u64 bytes;
	__u32 source[4];
	__u32 destination[4];
	__u32 segments;
	__u32 ifindex;
	__u32 slot;
	__u32 egress;
	__be16 source_port;
	__be16 destination_port;
	__u8 version;
	__u8 protocol;
	__u8 has_protocol;
	__u8 has_ports;
	__u8 outcome; /* of enum policy_excess */
	__u8 pad[7];
};

/* Pinned, host-wide. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct observation);
} observation SEC(".maps");

/* Pinned, host-wide. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct observation_counters);
} observation_counters SEC(".maps");

/* The observer chooses the size. */
struct observer_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(key_size, 0);
	__uint(value_size, 0);
	__uint(max_entries, 1 << 12);
};

/* Pinned, host-wide: the ring of the observer; empty while nobody observes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct observer_ring);
} observers SEC(".maps");

static __always_inline _Bool observe_selects(const struct observation *asked,
					     struct packet_context *context, __u32 slot)
{
	__u32 direction = hook.egress ? OBSERVED_EGRESS : OBSERVED_INGRESS;

	if (slot >= MAX_SLOTS || !(asked->directions & direction) ||
	    (asked->ifindex && asked->ifindex != context_interface(context)))
		return 0;
	return asked->slots[slot / 64] >> slot % 64 & 1;
}

/* Counts the packet; returns whether sampling and credit let its event be sent. */
static __always_inline _Bool observe_admits(struct observation *asked,
					    struct observation_counters *count)
{
	__u64 before = count->seen++;

	if (asked->sample > 1 && before % asked->sample) {
		count->sampled_out++;
		return 0;
	}
	if ((__s64)asked->credit > 0 && (__s64)__sync_fetch_and_add(&asked->credit, -1) > 0)
		return 1;
	count->over_rate++;
	return 0;
}

/*
 * Fills in protocol and ports. Hooks whose policies don't ask for the transport header have not
 * read it, so it is read here.
 */
static __always_inline void observe_transport(struct packet_context *context,
					      const struct packet *packet,
					      struct excess_event *event)
{
	struct packet read = {};

	if (packet->known & PACKET_PORTS)
		read = *packet;
	else if (packet->version != PACKET_UNREADABLE)
		parse_packet(context, hook.ethernet, HOOK_WALKS, &read);
	event->protocol = read.protocol;
	event->has_protocol = !!(read.known & PACKET_PROTOCOL);
	event->source_port = read.source_port;
	event->destination_port = read.destination_port;
	event->has_ports = !!(read.known & PACKET_PORTS);
}

static __always_inline void observe_fill(struct packet_context *context,
					 const struct packet *packet, __u32 slot, int excess,
					 struct excess_event *event)
{
	*event = (struct excess_event){
	    .time = bpf_ktime_get_ns(),
	    .bytes = packet->bytes,
	    .segments = packet->segments,
	    .ifindex = context_interface(context),
	    .slot = slot,
	    .egress = hook.egress,
	    .version = packet->version,
	    .outcome = excess,
	};
	for (int i = 0; i < 4; i++) {
		event->source[i] = packet->source[i];
		event->destination[i] = packet->destination[i];
	}
	observe_transport(context, packet, event);
}

/* Shows a packet that exceeds the policy in this slot to the observer, if there is one. */
static __always_inline void observe(struct packet_context *context, const struct packet *packet,
				    __u32 slot, int excess)
{
	__u32 only = 0;
	void *ring = bpf_map_lookup_elem(&observers, &only);
	struct observation_counters *count;
	struct excess_event *event;
	struct observation *asked;

	if (!ring)
		return;
	asked = bpf_map_lookup_elem(&observation, &only);
	count = bpf_map_lookup_elem(&observation_counters, &only);
	if (!asked || !count || !observe_selects(asked, context, slot) ||
	    !observe_admits(asked, count))
		return;
	event = bpf_ringbuf_reserve(ring, sizeof(*event), 0);
	if (!event) {
		count->lost++;
		return;
	}
	observe_fill(context, packet, slot, excess, event);
	bpf_ringbuf_submit(event, 0);
}

#endif

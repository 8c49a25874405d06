/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Which policies judge a packet: match[] and exempt[], one bit per term.
 *
 * Each field of a packet is looked up once and gives the set of terms that it fulfils; the
 * intersection of these sets is the terms that hold. So policies that do not match cost nothing,
 * whatever their number. An unreadable field fulfils every term of match[], because fragmenting
 * would otherwise evade a limit, and only those terms of exempt[] that do not ask for the field.
 *
 * The maps belong to one program: they are created with the program, filled by the agent before it
 * attaches the program, and never written again. So no run of a hook sees half of a set.
 */
#ifndef TB_MATCH_H
#define TB_MATCH_H

#include <linux/in.h>
#include <bpf/bpf_endian.h>

#include "hook.h"
#include "packet.h"

#define TCP_SYN 0x02
#define TCP_ACK 0x10

/* Index of an unknown protocol. */
enum protocol_index { MATCH_UNKNOWN_PROTOCOL = 256 };

/*
 * Classes that no number has: of packets without a number, and of packets whose number is unknown.
 */
enum number_class { MATCH_NO_NUMBER, MATCH_UNKNOWN_NUMBER };

/*
 * A packet's TCP flags are their own index. The indices after them: packets without flags, and
 * packets whose flags are unknown.
 */
enum tcp_flags_index { MATCH_NO_TCP_FLAGS = 256, MATCH_UNKNOWN_TCP_FLAGS };

enum fragment_index {
	MATCH_WHOLE,
	MATCH_FIRST_FRAGMENT,
	MATCH_LATER_FRAGMENT,
	MATCH_UNKNOWN_FRAGMENT,
};

enum dscp_limit { DSCPS = 64 };

/* Class of a head under which networks differ. */
enum head_class { MATCH_LONGER_NETWORKS };

/*
 * A prefix's value holds the terms of that prefix and of all shorter ones that contain it. IPv4 is
 * in address[0].
 */
struct prefix_key {
	/* In bits, over version and address; each version has an entry of length 32. */
	__u32 length;
	__u32 version;
	__u32 address[4];
};

/*
 * Classes of heads, the first 16 bits of addresses. Heads that fulfil the same terms share a class,
 * except heads that longer networks begin with: for these, the trie has to be asked, which costs
 * more than everything else here. First index: whether IPv6. Second: the head in network order.
 */
struct head_classes {
	__u16 of[2][65536];
};

/*
 * Classes of 16-bit numbers: ports, lengths, and ICMP types, each followed by its code. Numbers
 * that fulfil the same terms share a class. The index is the number in network order.
 */
struct number_classes {
	__u16 of[65536];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MATCH_UNKNOWN_PROTOCOL + 1);
	__type(key, __u32);
	__type(value, struct term_set);
} protocol_terms SEC(".maps");

#define PREFIX_TERMS(name)                                                                         \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);                                               \
		__uint(max_entries, 1);                                                            \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                              \
		__type(key, struct prefix_key);                                                    \
		__type(value, struct term_set);                                                    \
	} name SEC(".maps")

/* The agent sets the number of values that a set needs: none if no term asks for the field. */
#define CLASSES(name, table)                                                                       \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                  \
		__uint(max_entries, 1);                                                            \
		__uint(key_size, sizeof(__u32));                                                   \
		__uint(value_size, sizeof(struct table));                                          \
	} name SEC(".maps")

#define CLASS_TERMS(name)                                                                          \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                  \
		__uint(max_entries, 1);                                                            \
		__type(key, __u32);                                                                \
		__type(value, struct term_set);                                                    \
	} name SEC(".maps")

PREFIX_TERMS(source_terms);
PREFIX_TERMS(destination_terms);
CLASSES(source_head_classes, head_classes);
CLASSES(destination_head_classes, head_classes);
CLASS_TERMS(source_head_terms);
CLASS_TERMS(destination_head_terms);
CLASSES(source_port_classes, number_classes);
CLASSES(destination_port_classes, number_classes);
CLASS_TERMS(source_port_terms);
CLASS_TERMS(destination_port_terms);
CLASSES(icmp_classes, number_classes);
CLASS_TERMS(icmp_terms);
CLASSES(length_classes, number_classes);
CLASS_TERMS(length_terms);

/* For fields with few values: the value is the index. */
CLASS_TERMS(tcp_flags_terms);
CLASS_TERMS(dscp_terms);
CLASS_TERMS(fragment_terms);

/*
 * The number of the lowest bit that is set, counted as the bits below it: clang 14 has no ctz for
 * BPF.
 */
static __always_inline __u32 match_first_bit(__u64 bits)
{
	__u64 below = (bits & -bits) - 1;

	below -= (below >> 1) & 0x5555555555555555ULL;
	below = (below & 0x3333333333333333ULL) + ((below >> 2) & 0x3333333333333333ULL);
	below = (below + (below >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return (below * 0x0101010101010101ULL) >> 56;
}

static __always_inline const struct term_set *match_protocol(const struct packet *packet)
{
	__u32 index = packet->known & PACKET_PROTOCOL ? packet->protocol : MATCH_UNKNOWN_PROTOCOL;

	return bpf_map_lookup_elem(&protocol_terms, &index);
}

static __always_inline const struct term_set *
match_address(void *classes, void *class_terms, void *terms, const __u32 *address, __u32 version)
{
	struct prefix_key key = {.length = 160, .version = version};
	__u32 only = 0, class;
	const struct head_classes *table = bpf_map_lookup_elem(classes, &only);
	const struct term_set *found;
	__u16 head;

	if (!table)
		return NULL;
	__builtin_memcpy(&head, address, sizeof(head));
	class = table->of[version == 6][head];
	if (class != MATCH_LONGER_NETWORKS) {
		found = bpf_map_lookup_elem(class_terms, &class);
		/*
		 * Keeps clang from merging the two look-ups into one call with a variable map,
		 * which the kernel can't inline.
		 */
		asm volatile("" : "+r"(found));
		return found;
	}
	__builtin_memcpy(key.address, address, sizeof(key.address));
	return bpf_map_lookup_elem(terms, &key);
}

/* is: the number is known. has: the packet may have a number, as far as can be known. */
static __always_inline const struct term_set *match_number(void *classes, void *terms, _Bool is,
							   _Bool has, __be16 number)
{
	__u32 only = 0, class = has ? MATCH_UNKNOWN_NUMBER : MATCH_NO_NUMBER;
	const struct number_classes *table;

	if (is) {
		table = bpf_map_lookup_elem(classes, &only);
		if (!table)
			return NULL;
		class = table->of[number];
	}
	return bpf_map_lookup_elem(terms, &class);
}

static __always_inline _Bool match_may_have_ports(const struct packet *packet)
{
	__u8 protocol = packet->protocol;

	return !(packet->known & PACKET_PROTOCOL) || protocol == IPPROTO_TCP ||
	       protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

static __always_inline const struct term_set *match_port(void *classes, void *terms,
							 const struct packet *packet, __be16 port)
{
	return match_number(classes, terms, packet->known & PACKET_PORTS,
			    match_may_have_ports(packet), port);
}

static __always_inline _Bool match_may_be_icmp(const struct packet *packet)
{
	return !(packet->known & PACKET_PROTOCOL) || packet->protocol == IPPROTO_ICMP ||
	       packet->protocol == IPPROTO_ICMPV6;
}

static __always_inline const struct term_set *match_icmp(const struct packet *packet)
{
	return match_number(&icmp_classes, &icmp_terms, packet->known & PACKET_ICMP,
			    match_may_be_icmp(packet),
			    bpf_htons(packet->icmp_type << 8 | packet->icmp_code));
}

/* Whether the packet surely has no TCP flags: another protocol, or a later fragment. */
static __always_inline _Bool match_has_no_flags(const struct packet *packet)
{
	return (packet->known & PACKET_CONNECTION) ||
	       ((packet->known & PACKET_PROTOCOL) && packet->protocol != IPPROTO_TCP);
}

static __always_inline const struct term_set *match_tcp_flags(const struct packet *packet)
{
	__u32 index = packet->tcp_flags;

	if (!(packet->known & PACKET_CONNECTION) || !(packet->known & PACKET_TRANSPORT))
		index = match_has_no_flags(packet) ? MATCH_NO_TCP_FLAGS : MATCH_UNKNOWN_TCP_FLAGS;
	return bpf_map_lookup_elem(&tcp_flags_terms, &index);
}

static __always_inline const struct term_set *match_dscp(const struct packet *packet)
{
	__u32 index = packet->dscp;

	return bpf_map_lookup_elem(&dscp_terms, &index);
}

static __always_inline const struct term_set *match_fragment(const struct packet *packet)
{
	__u32 index = MATCH_UNKNOWN_FRAGMENT;

	if (packet->known & PACKET_FRAGMENT)
		index =
		    packet->known & PACKET_TRANSPORT ? MATCH_FIRST_FRAGMENT : MATCH_LATER_FRAGMENT;
	else if (packet->known & PACKET_PROTOCOL)
		index = MATCH_WHOLE;
	return bpf_map_lookup_elem(&fragment_terms, &index);
}

/* One word of the terms that hold as far as TCP flags are concerned. */
static __always_inline __u64 match_connection(const struct packet *packet, __u32 word)
{
	if ((packet->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return ~0ULL;
	if (match_has_no_flags(packet))
		return hook.any_connection.word[word];
	return hook.any_connection.word[word] | hook.match_terms.word[word];
}

static __always_inline _Bool match_is_used(__u32 word)
{
	return word < hook.term_words;
}

/* Keeps only the terms that the field fulfils; false if the map has no answer. */
static __always_inline _Bool match_narrow(struct term_set *terms, const struct term_set *fulfilled)
{
	if (!fulfilled)
		return 0;
	for (__u32 word = 0; word < TERM_WORDS && match_is_used(word); word++)
		terms->word[word] &= fulfilled->word[word];
	return 1;
}

/*
 * Narrows terms to the ones that hold for the packet. Each field's set is used at once, because a
 * set kept for later is one more state in which the verifier walks all that follows.
 */
static __always_inline _Bool match_look_up(const struct packet *packet, struct term_set *terms)
{
	if ((hook.features & HOOK_MATCHES_PROTOCOL) && !match_narrow(terms, match_protocol(packet)))
		return 0;
	if ((hook.features & HOOK_MATCHES_SOURCE) &&
	    !match_narrow(terms, match_address(&source_head_classes, &source_head_terms,
					       &source_terms, packet->source, packet->version)))
		return 0;
	if ((hook.features & HOOK_MATCHES_DESTINATION) &&
	    !match_narrow(terms,
			  match_address(&destination_head_classes, &destination_head_terms,
					&destination_terms, packet->destination, packet->version)))
		return 0;
	if ((hook.features & HOOK_MATCHES_SOURCE_PORT) &&
	    !match_narrow(terms, match_port(&source_port_classes, &source_port_terms, packet,
					    packet->source_port)))
		return 0;
	if ((hook.features & HOOK_MATCHES_DESTINATION_PORT) &&
	    !match_narrow(terms, match_port(&destination_port_classes, &destination_port_terms,
					    packet, packet->destination_port)))
		return 0;
	if ((hook.features & HOOK_MATCHES_ICMP) && !match_narrow(terms, match_icmp(packet)))
		return 0;
	if ((hook.features & HOOK_MATCHES_LENGTH) &&
	    !match_narrow(terms,
			  match_number(&length_classes, &length_terms, 1, 1, packet->length)))
		return 0;
	if ((hook.features & HOOK_MATCHES_TCP_FLAGS) &&
	    !match_narrow(terms, match_tcp_flags(packet)))
		return 0;
	if ((hook.features & HOOK_MATCHES_DSCP) && !match_narrow(terms, match_dscp(packet)))
		return 0;
	if ((hook.features & HOOK_MATCHES_FRAGMENT) && !match_narrow(terms, match_fragment(packet)))
		return 0;
	if (hook.features & HOOK_MATCHES_NEW_CONNECTIONS) {
		for (__u32 word = 0; word < TERM_WORDS && match_is_used(word); word++)
			terms->word[word] &= match_connection(packet, word);
	}
	return 1;
}

/*
 * The policies that these terms belong to, one bit each. A global function, so that the verifier
 * walks its loop once.
 */
__noinline __u64 match_policies_of(__u64 terms, __u32 word)
{
	__u64 policies = 0;

#pragma clang loop unroll(disable)
	for (int i = 0; i < 64 && terms; i++) {
		__u32 term = word * 64 + match_first_bit(terms);

		policies |= 1ULL << (hook.term_policy[term & (MAX_HOOK_TERMS - 1)] & 63);
		terms &= terms - 1;
	}
	return policies;
}

/*
 * The policies that judge a packet of which nothing is known: all of them, because the packet
 * matches every policy and no exempt[] term applies.
 */
static __always_inline __u64 match_all_policies(void)
{
	return hook.policy_count ? ~0ULL >> ((64 - hook.policy_count) & 63) : 0;
}

/* The policies that judge the packet, one bit each. */
static __always_inline __u64 match_policies(const struct packet *packet)
{
	__u64 matched = hook.unconditional, exempted = 0;
	struct term_set terms = {{~0ULL, ~0ULL, ~0ULL, ~0ULL}};

	if (!hook.term_words)
		return matched;
	if (!match_look_up(packet, &terms))
		return match_all_policies();
	for (__u32 word = 0; word < TERM_WORDS && match_is_used(word); word++) {
		__u64 match = terms.word[word] & hook.match_terms.word[word];
		__u64 exempt = terms.word[word] & hook.exempt_terms.word[word];

		if (match)
			matched |= match_policies_of(match, word);
		if (exempt)
			exempted |= match_policies_of(exempt, word);
	}
	return matched & ~exempted;
}

#endif

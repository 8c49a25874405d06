/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * What one hook (interface and direction) has to do: its policies, their terms and the failsafes.
 *
 * Read-only data, set by the agent before load, so that the verifier removes what a set does not
 * use: every branch on features is decided at load, and with one policy every branch on its flags.
 * A section of its own, so that the agent can read from a running program which set it has.
 */
#ifndef TB_HOOK_H
#define TB_HOOK_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>

/* Here and in the other headers, what the agent knows, too, is an enum: BTF can tell of it. */
enum hook_limit {
	MAX_HOOK_POLICIES = 64,
	MAX_HOOK_TERMS = 256,
	MAX_FAILSAFE_PORTS = 8,
};

#define TERM_WORDS (MAX_HOOK_TERMS / 64)

enum policy_flag {
	/* Which bucket: of these none for one that all share, else one. */
	POLICY_PER_SOURCE = 1 << 0,
	POLICY_PER_DESTINATION = 1 << 3,
	POLICY_PER_FLOW = 1 << 4,
	POLICY_PER_PAIR = 1 << 8, /* source and destination */

	POLICY_BYTES = 1 << 1,	   /* tokens are bytes, else packets */
	POLICY_AUDIT = 1 << 2,	   /* count, but let pass */
	POLICY_EVICTS = 1 << 5,	   /* onFull: EvictOldest */
	POLICY_MARKS_ECN = 1 << 6, /* exceed.action: MarkECN; else, without SETS_DSCP, Drop */
	POLICY_SETS_DSCP = 1 << 7,
};

#define POLICY_PER_ADDRESS (POLICY_PER_SOURCE | POLICY_PER_DESTINATION)
#define POLICY_WIDE_KEY (POLICY_PER_FLOW | POLICY_PER_PAIR)
#define POLICY_TABLED (POLICY_PER_ADDRESS | POLICY_WIDE_KEY)

/* What the terms of a set ask of a packet, and whether failsafes are on. */
enum hook_feature {
	HOOK_MATCHES_PROTOCOL = 1 << 16,
	HOOK_MATCHES_SOURCE = 1 << 17,
	HOOK_MATCHES_DESTINATION = 1 << 18,
	HOOK_MATCHES_SOURCE_PORT = 1 << 19,
	HOOK_MATCHES_DESTINATION_PORT = 1 << 20,
	HOOK_MATCHES_NEW_CONNECTIONS = 1 << 21,
	HOOK_FAILSAFE = 1 << 22,
	HOOK_FAILSAFE_PEERS = 1 << 23,
	HOOK_MATCHES_TCP_FLAGS = 1 << 24,
	HOOK_MATCHES_ICMP = 1 << 25,
	HOOK_MATCHES_DSCP = 1 << 26,
	HOOK_MATCHES_LENGTH = 1 << 27,
	HOOK_MATCHES_FRAGMENT = 1 << 28,
};

/*
 * What asks for what first fragments alone have: ports, or type and code of ICMP. Of fragmented
 * datagrams they are remembered (fragments.h).
 */
enum hook_need {
	HOOK_REMEMBERS_FIRST = POLICY_PER_FLOW | HOOK_MATCHES_SOURCE_PORT |
			       HOOK_MATCHES_DESTINATION_PORT | HOOK_MATCHES_ICMP,
};

#define HOOK_TELLS_FRAGMENTS (HOOK_REMEMBERS_FIRST | HOOK_MATCHES_FRAGMENT)
#define HOOK_READS_TCP_FLAGS (HOOK_MATCHES_NEW_CONNECTIONS | HOOK_MATCHES_TCP_FLAGS)
#define HOOK_READS_ICMP (HOOK_REMEMBERS_FIRST | HOOK_FAILSAFE)

/* What asks for more than the fixed IP header. */
#define HOOK_WALKS                                                                                 \
	(HOOK_TELLS_FRAGMENTS | HOOK_READS_TCP_FLAGS | HOOK_READS_ICMP | HOOK_MATCHES_PROTOCOL)

struct hook_policy {
	__u32 slot;
	__u32 flags;
	__be32 ipv4_mask; /* of addresses in a key, but for a flow's */
	__be32 ipv6_mask[4];
	__u16 marking_slot; /* of the second window, of policies that mark */
	__u8 dscp;
	__u8 pad;
};

/* A bit a term. */
struct term_set {
	__u64 word[TERM_WORDS];
};

/* Bits by policy are in the order in which the policies apply. */
struct hook_configuration {
	__u32 egress;
	__u32 policies;
	__u32 features;	  /* of the policies' flags and HOOK_* the union */
	__u32 ethernet;	  /* frames begin with an Ethernet header, else with IP's */
	__u32 term_words; /* words in use of each term_set */
	__be16 failsafe_ports[MAX_FAILSAFE_PORTS]; /* unused ones are zero */
	__u32 pad;
	__u64 digest;			  /* of what the match maps hold, for the agent */
	__u64 unconditional;		  /* policies without match[], a bit each */
	__u64 failsafe_policies;	  /* policies that failsafe traffic does not meet */
	struct term_set match_terms;	  /* terms of match[] */
	struct term_set exempt_terms;	  /* terms of exempt[] */
	struct term_set any_connection;	  /* terms without newConnectionsOnly */
	__u8 term_policy[MAX_HOOK_TERMS]; /* whose each term is */
	__u64 hash_key[2];		  /* of the hints (places.h), the same on all hooks */
	struct hook_policy policy[MAX_HOOK_POLICIES];
};

const volatile struct hook_configuration hook SEC(".rodata.hook");

#endif

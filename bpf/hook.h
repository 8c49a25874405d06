/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The configuration of one hook (an interface and a direction): its policies, their terms and the
 * failsafes.
 *
 * The configuration is read-only data that the agent sets before load, so that the verifier removes
 * what a set does not use: it decides every branch on features at load and, with one policy, every
 * branch on that policy's flags. The data has its own section, so that the agent can read from a
 * running program which set the program enforces.
 */
#ifndef TB_HOOK_H
#define TB_HOOK_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>

/*
 * Constants that the agent also needs are enums, here and in the other headers, because BTF
 * describes enums.
 */
enum hook_limit {
	MAX_HOOK_POLICIES = 64,
	MAX_HOOK_TERMS = 256,
	MAX_FAILSAFE_PORTS = 8,
};

#define TERM_WORDS (MAX_HOOK_TERMS / 64)

enum policy_flag {
	/* Which bucket: at most one of these flags; without any, all packets share one bucket. */
	POLICY_PER_SOURCE = 1 << 0,
	POLICY_PER_DESTINATION = 1 << 3,
	POLICY_PER_FLOW = 1 << 4,
	POLICY_PER_PAIR = 1 << 8, /* source and destination */

	POLICY_BYTES = 1 << 1,	   /* tokens are bytes, else packets */
	POLICY_AUDIT = 1 << 2,	   /* count, but let pass */
	POLICY_EVICTS = 1 << 5,	   /* onFull: EvictOldest */
	POLICY_MARKS_ECN = 1 << 6, /* exceed.action: MarkECN; Drop if SETS_DSCP is not set either */
	POLICY_SETS_DSCP = 1 << 7,
	POLICY_HAS_PARENT = 1 << 9, /* bucket.parent */
};

#define POLICY_PER_ADDRESS (POLICY_PER_SOURCE | POLICY_PER_DESTINATION)
#define POLICY_WIDE_KEY (POLICY_PER_FLOW | POLICY_PER_PAIR)
#define POLICY_TABLED (POLICY_PER_ADDRESS | POLICY_WIDE_KEY)

/* The packet fields that the terms of a set ask for, and whether failsafes are on. */
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
 * The features that ask for fields of first fragments only: ports, or ICMP type and code.
 * fragments.h remembers these fields for the later fragments.
 */
enum hook_need {
	HOOK_REMEMBERS_FIRST = POLICY_PER_FLOW | HOOK_MATCHES_SOURCE_PORT |
			       HOOK_MATCHES_DESTINATION_PORT | HOOK_MATCHES_ICMP,
};

#define HOOK_TELLS_FRAGMENTS (HOOK_REMEMBERS_FIRST | HOOK_MATCHES_FRAGMENT)
#define HOOK_READS_TCP_FLAGS (HOOK_MATCHES_NEW_CONNECTIONS | HOOK_MATCHES_TCP_FLAGS)
#define HOOK_READS_ICMP (HOOK_REMEMBERS_FIRST | HOOK_FAILSAFE)

/* The features that ask for more than the fixed IP header. */
#define HOOK_WALKS                                                                                 \
	(HOOK_TELLS_FRAGMENTS | HOOK_READS_TCP_FLAGS | HOOK_READS_ICMP | HOOK_MATCHES_PROTOCOL)

struct hook_policy {
	__u32 slot;
	__u32 flags;
	/* Masks of the addresses in a key, except in a flow's key. */
	__be32 ipv4_mask;
	__be32 ipv6_mask[4];
	/* Slot of the second window, for policies that mark. */
	__u16 marking_slot;
	/* Slot of the bucket that all the policy's buckets share, if the policy has one. */
	__u16 parent_slot;
	__u8 dscp;
	__u8 pad[3];
};

/* One bit per term. */
struct term_set {
	__u64 word[TERM_WORDS];
};

/* Bits per policy are in the order in which the policies apply. */
struct hook_configuration {
	__u32 egress;
	__u32 policy_count;
	/* Union of the policies' flags and of the HOOK_* features. */
	__u32 features;
	/* Whether frames begin with an Ethernet header; otherwise they begin with the IP header. */
	__u32 ethernet;
	__u32 term_words;			   /* words in use in each term_set */
	__be16 failsafe_ports[MAX_FAILSAFE_PORTS]; /* unused ones are zero */
	__u32 pad;
	__u64 digest;	     /* of the match maps' contents, for the agent */
	__u64 unconditional; /* policies without match[], one bit each */
	/* Policies that exempt failsafe traffic. */
	__u64 failsafe_policies;
	struct term_set match_terms;	  /* terms of match[] */
	struct term_set exempt_terms;	  /* terms of exempt[] */
	struct term_set any_connection;	  /* terms without newConnectionsOnly */
	__u8 term_policy[MAX_HOOK_TERMS]; /* policy of each term */
	__u64 hash_key[2];		  /* for hints (places.h), the same on all hooks */
	struct hook_policy policy[MAX_HOOK_POLICIES];
};

const volatile struct hook_configuration hook SEC(".rodata.hook");

#endif

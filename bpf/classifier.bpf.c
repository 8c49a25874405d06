// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * The classifier: one program per hook (an interface, and tc ingress, tc egress or XDP). The hook's
 * read-only data specialises the program to the policies of that hook.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "context.h"
#include "parse.h"
#include "fragments.h"
#include "match.h"
#include "failsafe.h"
#include "policy.h"
#include "observe.h"

/*
 * Decides for one policy of several. The function is global so that the verifier walks it once,
 * whatever the number of policies: with the function inlined in the loop, some tens of policies
 * exceed the verifier's limit. The verifier still removes what no policy of the set uses, because
 * hook.features is known at load.
 */
__noinline int decide_one(struct clock_source *source, struct packet *packet, __u32 i)
{
	if (!source || !packet || i >= MAX_HOOK_POLICIES)
		return POLICY_PASS;
	return policy_decide(source, packet, i, hook.features);
}

/*
 * The program itself calls may_mark() and mark_one(): a call of one inside the other would need
 * more stack than there is.
 */
__noinline int may_mark(struct packet_context *context, struct clock_source *source,
			struct packet *packet, __u32 i)
{
	if (!source || !packet || i >= MAX_HOOK_POLICIES)
		return 0;
	return policy_may_mark(context, source, packet, i);
}

__noinline int mark_one(struct packet_context *context, struct packet *packet, __u32 i, int decided,
			int may_be_marked)
{
	if (!packet || i >= MAX_HOOK_POLICIES)
		return POLICY_PASS;
	return policy_mark(context, packet, i, decided, may_be_marked);
}

/* A function of its own, because it is rare, and the program has not its stack to spare. */
__noinline int show_excess(struct packet_context *context, struct packet *packet, __u32 i,
			   int excess)
{
	if (!packet || i >= MAX_HOOK_POLICIES)
		return 0;
	observe(context, packet, hook.policy[i].slot, excess);
	return 0;
}

/* Carries out policy i's decision; returns whether it drops the packet. */
static __always_inline _Bool carry_out(struct packet_context *context, struct clock_source *source,
				       struct packet *packet, __u32 i, int decided)
{
	int may = 0;

	if ((hook.features & (POLICY_MARKS_ECN | POLICY_SETS_DSCP)) && (decided & POLICY_MARK)) {
		if (hook.features & POLICY_MARKS_ECN)
			may = may_mark(context, source, packet, i);
		decided = mark_one(context, packet, i, decided, may);
	}
	if (decided != POLICY_PASS)
		show_excess(context, packet, i, decided);
	return decided == POLICY_DROP;
}

/*
 * Whether one of these policies drops the packet, in the order of the set. A packet that one drops
 * does not reach the later ones.
 */
static __always_inline _Bool policies_drop(struct packet_context *context,
					   struct clock_source *source, struct packet *packet,
					   __u64 policies)
{
	if (hook.policy_count == 1)
		return policies &&
		       carry_out(context, source, packet, 0,
				 policy_decide(source, packet, 0, hook.policy[0].flags));

#pragma clang loop unroll(disable)
	for (int n = 0; n < MAX_HOOK_POLICIES && policies; n++) {
		__u32 i = match_first_bit(policies);

		if (carry_out(context, source, packet, i, decide_one(source, packet, i)))
			return 1;
		policies &= policies - 1;
	}
	return 0;
}

static __always_inline void count_not_ip(void)
{
	__u32 only = 0;
	__u64 *frames = bpf_map_lookup_elem(&not_ip, &only);

	if (frames)
		(*frames)++;
}

SEC(CONTEXT_SECTION)
int tokenbucket(struct packet_context *context)
{
	struct clock_source source = context_clock(context);
	struct packet packet = {};
	enum parse_result parsed;
	__u64 policies;

	parsed = parse_packet(context, hook.ethernet, hook.features, &packet);
	if (parsed == PARSE_NOT_IP) {
		report_packet(&packet, 0);
		count_not_ip();
		return CONTEXT_PASS;
	}
	if ((hook.features & HOOK_REMEMBERS_FIRST) && (packet.known & PACKET_FRAGMENT))
		fragment_meet(context, &source, &packet);
	policies = parsed == PARSE_IP ? match_policies(&packet) : match_all_policies();
	report_packet(&packet, policies);
	if ((hook.features & HOOK_FAILSAFE) && (policies & hook.failsafe_policies) &&
	    failsafe_may_exempt(&packet) && failsafe_exempts(&source, &packet)) {
		policies &= ~hook.failsafe_policies;
		report_failsafe();
	}
	return policies_drop(context, &source, &packet, policies) ? CONTEXT_DROP : CONTEXT_PASS;
}

char _license[] SEC("license") = "GPL";

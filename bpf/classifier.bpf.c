// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * The classifier: one program a hook (interface and direction), specialised by read-only data to
 * the policies there. A packet that passes goes on to the next program of the hook.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "parse.h"
#include "match.h"
#include "failsafe.h"
#include "policy.h"

/*
 * One policy of several. A global function, so that the verifier walks it once whatever the number
 * of policies: inlined in the loop, some tens of them are more than it will walk. What no policy of
 * the set uses it still removes, by hook.features.
 */
__noinline int judge_one(struct __sk_buff *skb, struct clock_source *source, struct packet *packet,
			 __u32 i)
{
	if (!source || !packet || i >= MAX_HOOK_POLICIES)
		return 0;
	return policy_drops(skb, source, packet, i, hook.features);
}

/* In the order of the set; a packet that one policy drops is not seen by later ones. */
static __always_inline int judge(struct __sk_buff *skb, struct clock_source *source,
				 struct packet *packet, __u64 policies)
{
	if (hook.policies == 1)
		return policies && policy_drops(skb, source, packet, 0, hook.policy[0].flags)
			   ? TC_ACT_SHOT
			   : TC_ACT_UNSPEC;

#pragma clang loop unroll(disable)
	for (int n = 0; n < MAX_HOOK_POLICIES && policies; n++) {
		if (judge_one(skb, source, packet, match_first_bit(policies)))
			return TC_ACT_SHOT;
		policies &= policies - 1;
	}
	return TC_ACT_UNSPEC;
}

static __always_inline void count_not_ip(void)
{
	__u32 only = 0;
	__u64 *frames = bpf_map_lookup_elem(&not_ip, &only);

	if (frames)
		(*frames)++;
}

SEC("tc")
int tokenbucket(struct __sk_buff *skb)
{
	struct clock_source source = {};
	struct packet packet = {};
	__u64 policies;

#ifdef TB_CLOCK_FROM_TIMESTAMP
	source.timestamp = skb->tstamp;
	source.late_ticks = skb->mark;
#endif
	if (!parse_packet(skb, hook.ethernet, hook.features, &packet)) {
		count_not_ip();
		return TC_ACT_UNSPEC;
	}
	policies = match_policies(&packet);
	if ((hook.features & HOOK_FAILSAFE) && (policies & hook.failsafe_policies) &&
	    failsafe_may_exempt(&packet) && failsafe_exempts(&source, &packet))
		policies &= ~hook.failsafe_policies;
	return judge(skb, &source, &packet, policies);
}

char _license[] SEC("license") = "GPL";

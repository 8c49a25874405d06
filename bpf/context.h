/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The context that a packet comes in: struct __sk_buff for tc, struct xdp_md with TB_XDP. Each of
 * the two headers defines the same names, and all code that depends on the context is in them.
 */
#ifndef TB_CONTEXT_H
#define TB_CONTEXT_H

#ifdef TB_XDP
#include "xdp.h"
#else
#include "skb.h"
#endif

#endif

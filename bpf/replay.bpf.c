// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * The classifier for captures: the same code on the packets' own clock, with a report on each
 * packet. The agent's commands run it; it is attached to no hook.
 */
#define TB_CLOCK_FROM_TIMESTAMP
#define TB_REPORT
#include "classifier.bpf.c"

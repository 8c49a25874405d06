// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * The classifier for captures: the same code under the packets' own clock, which also tells what
 * became of each packet. It is run by the agent's commands, and attached to no hook.
 */
#define TB_CLOCK_FROM_TIMESTAMP
#define TB_REPORT
#include "classifier.bpf.c"

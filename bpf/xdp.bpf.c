// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The classifier for XDP: the same code on the same maps, before the kernel allocates a packet. */
#define TB_XDP
#include "classifier.bpf.c"

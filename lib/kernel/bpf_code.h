/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BPF instructions: for lib/kernel only. */
#ifndef KERNEL_BPF_CODE_H
#define KERNEL_BPF_CODE_H

#include "kernel/bpf.h"

#include <linux/bpf.h>

#define BPF_CODE_MAX 256 /* some 150, and 6 for each address */

/* What the function is called, and the licence that the kernel asks for before it lends its
 * helpers.
 */
#define BPF_FUNCTION "host_routing"
#define BPF_LICENSE  "GPL"

struct bpf_code {
	unsigned n;
	struct bpf_insn insns[BPF_CODE_MAX];
};

/* bpf_code_build: the program of @owner. Never fails. */
void bpf_code_build(const struct bpf_owner *owner, struct bpf_code *ret);

#endif

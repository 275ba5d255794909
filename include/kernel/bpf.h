/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program that hands a task's packets to another task past the host's stack (hostRouting: bpf).
 * It sits at the ingress hook of the host's end and dies with it. It has no map: who the task is,
 * is written into it, and where packets go it asks the kernel's own routing table. So there is
 * nothing that could leak, or be out of date: lib/kernel/bpf_code.c.
 */
#ifndef KERNEL_BPF_H
#define KERNEL_BPF_H

#include "base/ip.h"
#include "base/text.h"
#include "kernel/netlink.h"

#define BPF_OWNER_IPS 8

/* Whom the interface belongs to: what comes from anybody else is left to the stack, and its guard.
 */
struct bpf_owner {
	struct mac mac;
	struct ip ips[BPF_OWNER_IPS];
	unsigned n_ips;
	bool direct;       /* ask the table main, past the rules of policy routing */
	bool family_first; /* the order of instructions that release 0.1.0 had, to know it again */
};

/*
 * The metric of a host's route to a task that takes packets past the stack ("vbpf"): the task's
 * consent, in the same place as the way to it. A route with any other metric is the stack's.
 */
#define BPF_ROUTE_METRIC 0x76627066U

/*
 * bpf_attach: load the program and hang it on the ingress hook (qdisc_add_ingress) of @ifindex.
 * @b: empty, for its request. Errors: code 100; the details name what the kernel needs.
 */
int bpf_attach(struct netlink *nl, struct batch *b, uint32_t ifindex, const struct bpf_owner *owner,
	       struct err *e);

/* bpf_find: does this very program hang there? Return: 0, 1 if not, or a negative errno. */
int bpf_find(struct netlink *nl, uint32_t ifindex, const struct bpf_owner *owner, struct err *e);

/* bpf_usable: does this kernel take such programs from us? Errors: as bpf_attach. */
int bpf_usable(struct err *e);

/* bpf_print: the program as an object file for `tc filter … bpf object-file`, in base64. */
void bpf_print(const struct bpf_owner *owner, struct text *t);

/* What such an object file is called, and its section: tc makes the filter's name of them. */
#define BPF_FILE    "taskvpc.o"
#define BPF_SECTION "tc"

#endif

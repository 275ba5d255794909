/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traffic control as the reference plugin `bandwidth` does it: a token bucket (tbf) limits what
 * leaves an interface; what enters one is redirected to an intermediate device (ifb) and limited as
 * it leaves that. Rates are bits per second and bursts bits, as in CNI; the kernel counts bytes.
 */
#ifndef KERNEL_QDISC_H
#define KERNEL_QDISC_H

#include "kernel/link.h"

#define QDISC_LATENCY_MS 25 /* the longest that a packet may wait in a tbf */

/*
 * qdisc_tbf_limit: how many bytes the queue of such a tbf holds: what flows in QDISC_LATENCY_MS,
 * and the burst. The kernel takes no more than UINT32_MAX; whoever accepts a configuration asks
 * here.
 */
uint64_t qdisc_tbf_limit(uint64_t rate, uint64_t burst);

/*
 * qdisc_tbf_burst: the burst in bytes that such a tbf has: the one asked for, at most what flows in
 * 274 s, but a frame in any case. tc shows a longer one wrongly and, since iproute2 7.3, refuses it.
 */
uint32_t qdisc_tbf_burst(uint64_t rate, uint64_t burst);

/* qdisc_add_tbf: as root. -EEXIST if the device has a root qdisc other than its default. */
void qdisc_add_tbf(struct batch *b, uint32_t ifindex, uint64_t rate, uint64_t burst);
/* qdisc_add_ingress: the hook that redirect_add hangs its filter on. */
void qdisc_add_ingress(struct batch *b, uint32_t ifindex);
/* qdisc_del: the root, or the ingress hook with its filters. Absent is fine. */
void qdisc_del(struct batch *b, uint32_t ifindex, bool ingress);

/* redirect_add: whatever enters @ifindex is sent out by @to_ifindex. */
void redirect_add(struct batch *b, uint32_t ifindex, uint32_t to_ifindex);

/*
 * filter_add_bpf: the program @fd decides about whatever enters @ifindex (direct action). The
 * descriptor must be open until the batch was sent. @name: what `tc filter show` calls it.
 */
void filter_add_bpf(struct batch *b, uint32_t ifindex, int fd, const char *name);

/*
 * link_add_ifb: an intermediate device, one queue, down. Its MTU does not matter, packets pass
 * through it whatever their length.
 */
void link_add_ifb(struct batch *b, const struct link_end *end);

/* Queries. Each: Return 0 if it is there as wanted, 1 if not, or a negative errno. */
int qdisc_find_tbf(struct netlink *nl, uint32_t ifindex, uint64_t rate, uint64_t burst,
		   struct err *e);
int qdisc_find_ingress(struct netlink *nl, uint32_t ifindex, struct err *e);
int redirect_find(struct netlink *nl, uint32_t ifindex, uint32_t to_ifindex, struct err *e);
/* filter_find_bpf: @tag: the kernel's hash of the program, BPF_TAG_SIZE (8) bytes. */
int filter_find_bpf(struct netlink *nl, uint32_t ifindex, const uint8_t tag[static 8],
		    struct err *e);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tracked connections and what our rules count of them, to look at. */
#ifndef KERNEL_CONNTRACK_LIST_H
#define KERNEL_CONNTRACK_LIST_H

#include "base/ip.h"
#include "kernel/netlink.h"

struct conntrack_flow {
	struct ip src, dst; /* of its first packet */
	bool ended;         /* TCP: TIME_WAIT or CLOSE */
};

/*
 * conntrack_each: call @fn for each flow of both families that the host tracks; a kernel that
 * tracks nothing has none. It walks the whole table.
 * @nl: a NETLINK_NETFILTER socket. Return: 0, what @fn returned if negative, or a negative errno.
 */
typedef int conntrack_fn(void *ctx, const struct conntrack_flow *flow);
int conntrack_each(struct netlink *nl, conntrack_fn *fn, void *ctx, struct err *e);

/*
 * nft_counters: call @fn for each element of the set @set of the inet table @table that has a
 * counter. @key: as the kernel keeps it, each part padded to 4 bytes. Return: as conntrack_each; a
 * set that is missing has no elements.
 */
typedef int nft_counter_fn(void *ctx, const unsigned char *key, size_t len, uint64_t packets);
int nft_counters(struct netlink *nl, const char *table, const char *set, nft_counter_fn *fn,
		 void *ctx, struct err *e);

#endif

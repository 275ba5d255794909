/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tracked connections. A flow keeps the destination that its first packet was given: when a host
 * port gets another owner, a UDP client that goes on sending would never reach it.
 */
#ifndef KERNEL_CONNTRACK_H
#define KERNEL_CONNTRACK_H

#include "base/ip.h"
#include "kernel/netlink.h"

/* Flows by where their first packet was sent to. */
struct conntrack_match {
	uint8_t protocol; /* IPPROTO_* with ports */
	uint16_t port;    /* host byte order */
	struct ip ip; /* family 0: any that @ns has; an unspecified address: any of its family that
		       * it has */
};

/*
 * conntrack_forget: delete every flow of @ns that matches. What ends meanwhile is fine, and so is a
 * kernel that tracks nothing. What passes through @ns to an address that is not its own is left
 * alone.
 * @nl: a NETLINK_NETFILTER socket in @ns, which is the caller's namespace.
 * @b: scratch space; empty before and after.
 * Return: 0 or a negative errno.
 */
int conntrack_forget(struct netlink *nl, const struct netns *ns,
		     const struct conntrack_match *match, struct batch *b, struct err *e);

#endif

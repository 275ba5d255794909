/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tracked connections. A flow keeps the destination and the source that its first packet was given:
 * when a host port gets another owner, a UDP client that goes on sending would never reach it, and
 * when an address does, the new owner gets what was meant for the old one.
 */
#ifndef KERNEL_CONNTRACK_H
#define KERNEL_CONNTRACK_H

#include "base/ip.h"
#include "kernel/netlink.h"

/* Flows by where their first packet was sent to. */
struct conntrack_port {
	uint16_t port; /* host byte order */
	struct ip ip;  /* family 0: any that the namespace has; an unspecified address: any of its
			* family that it has */
};

struct conntrack_ports {
	uint8_t protocol; /* IPPROTO_* with ports */
	unsigned n;
	struct conntrack_port *ports;
};

/*
 * conntrack_forget_ports: delete every flow of @ns to one of @p, in one walk for all. What ends
 * meanwhile is fine, and so is a kernel that tracks nothing. What passes through @ns to an address
 * that is not its own is left alone.
 * @nl: a NETLINK_NETFILTER socket in @ns, which is the caller's namespace.
 * @p: is sorted. @b: scratch space; empty before and after.
 * Return: 0 or a negative errno.
 */
int conntrack_forget_ports(struct netlink *nl, const struct netns *ns, struct conntrack_ports *p,
			   struct batch *b, struct err *e);

struct conntrack_addresses {
	unsigned n;
	struct ip *ips;
};
/*
 * conntrack_forget_addresses: delete every flow of @ns that one of @a takes part in, before or
 * after a translation, whatever its protocol and zone. Else as conntrack_forget_ports.
 */
int conntrack_forget_addresses(struct netlink *nl, const struct netns *ns,
			       struct conntrack_addresses *a, struct batch *b, struct err *e);

#endif

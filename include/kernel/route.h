/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnetlink requests about addresses, routes and neighbours. */
#ifndef KERNEL_ROUTE_H
#define KERNEL_ROUTE_H

#include "base/ip.h"
#include "kernel/netlink.h"

enum addr_option {
	ADDR_NO_PREFIX_ROUTE = 1,	/* no connected route */
	ADDR_DETECT = 2,		/* IPv6: duplicate address detection, which takes seconds */
	ADDR_MARK = 4,			/* bears our mark (IFA_PROTO, Linux 5.18): addr_list passes over it */
};
void addr_add(struct batch *b, uint32_t ifindex, const struct cidr *c, unsigned options,
	      uint32_t tolerate);
void addr_del(struct batch *b, uint32_t ifindex, const struct cidr *c, uint32_t tolerate);

enum route_type { ROUTE_UNICAST, ROUTE_LOCAL, ROUTE_BLACKHOLE };

struct route_spec {
	struct cidr dst;
	struct ip gw, src;		/* family 0: none */
	uint32_t ifindex;		/* 0: none */
	enum route_type type;
	bool has_scope;
	uint32_t scope, priority, table, mtu, advmss;	/* 0: the kernel's default */
};
void route_add(struct batch *b, const struct route_spec *r, uint32_t tolerate);
void route_del(struct batch *b, const struct route_spec *r, uint32_t tolerate);

void neigh_add(struct batch *b, uint32_t ifindex, const struct ip *ip, const struct mac *mac);

/* Queries. Each: Return 0 if it is there, 1 if not, or a negative errno. */
int addr_find(struct netlink *nl, uint32_t ifindex, const struct cidr *c, struct err *e);
/* addr_list: global addresses of an interface that others gave it; at most @max are told. */
int addr_list(struct netlink *nl, uint32_t ifindex, struct cidr *ret, unsigned max, unsigned *ret_n,
	      struct err *e);
enum addr_detected { ADDR_READY, ADDR_DETECTING, ADDR_DUPLICATE };
/*
 * addr_detected: how far duplicate address detection is: of @c if it failed, else of all addresses of
 * the interface. Return: 0, 1 if @c is not there, or -errno.
 */
int addr_detected(struct netlink *nl, uint32_t ifindex, const struct cidr *c, enum addr_detected *ret,
		  struct err *e);
/* addr_first: the first global address of an interface, family 0 if there is none. */
int addr_first(struct netlink *nl, uint32_t ifindex, uint8_t family, struct ip *ret, struct err *e);
int route_find(struct netlink *nl, const struct route_spec *r, struct err *e);
int neigh_find(struct netlink *nl, uint32_t ifindex, const struct ip *ip, const struct mac *mac,
	       struct err *e);

struct route_uplink {
	uint32_t ifindex;		/* 0: no default route */
	char name[16];
	uint32_t mtu;
	struct ip src;			/* preferred source towards the default route */
};
/* route_uplink_find: the interface of the default route of @family (RTM_GETROUTE, fib match). */
int route_uplink_find(struct netlink *nl, uint8_t family, struct route_uplink *ret, struct err *e);

struct addr_info {
	uint32_t ifindex;
	struct cidr cidr;
};
/*
 * addr_lasting: the global addresses of an interface (0: of all) that one can be known by for good:
 * none that is temporary, deprecated or tentative. At most @max are told.
 */
int addr_lasting(struct netlink *nl, uint32_t ifindex, struct addr_info *ret, unsigned max,
		 unsigned *ret_n, struct err *e);

#endif

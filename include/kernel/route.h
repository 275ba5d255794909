/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnetlink requests about addresses, routes and neighbours. */
#ifndef KERNEL_ROUTE_H
#define KERNEL_ROUTE_H

#include "base/ip.h"
#include "kernel/netlink.h"

enum addr_option {
	ADDR_NO_PREFIX_ROUTE = 1, /* no connected route */
	ADDR_DETECT = 2,          /* IPv6: duplicate address detection, which takes seconds */
	ADDR_MARK = 4, /* bears our mark (IFA_PROTO, Linux 5.18): addr_list passes over it */
};
#define ADDR_PROTO 0x76 /* our mark: 'v', not one of the kernel's own values */

void addr_add(struct batch *b, uint32_t ifindex, const struct cidr *c, unsigned options,
	      uint32_t tolerate);
void addr_del(struct batch *b, uint32_t ifindex, const struct cidr *c, uint32_t tolerate);

enum route_type {
	ROUTE_UNICAST,
	ROUTE_LOCAL,
	ROUTE_BLACKHOLE,
	ROUTE_UNREACHABLE /* refused with an ICMP error to the sender */
};

/* Of a route that any other to the same prefix comes before. */
#define ROUTE_METRIC_LAST 4000000000U

struct route_spec {
	struct cidr dst;
	struct ip gw, src; /* family 0: none */
	uint32_t ifindex;  /* 0: none */
	enum route_type type;
	bool has_scope;
	uint32_t scope, priority, table, mtu, advmss; /* 0: the kernel's default */
};
void route_add(struct batch *b, const struct route_spec *r, uint32_t tolerate);
void route_del(struct batch *b, const struct route_spec *r, uint32_t tolerate);

void neigh_add(struct batch *b, uint32_t ifindex, const struct ip *ip, const struct mac *mac);
void neigh_del(struct batch *b, uint32_t ifindex, const struct ip *ip, uint32_t tolerate);

/* Queries. Each: Return 0 if it is there, 1 if not, or a negative errno. */
int addr_find(struct netlink *nl, uint32_t ifindex, const struct cidr *c, struct err *e);
/* addr_list: global addresses of an interface that others gave it. Return: 0, 1 if there are more
 * than
 * @max, or a negative errno. */
int addr_list(struct netlink *nl, uint32_t ifindex, struct cidr *ret, unsigned max, unsigned *ret_n,
	      struct err *e);
enum addr_detected {
	ADDR_READY,
	ADDR_DETECTING,
	ADDR_DUPLICATE
};
/*
 * addr_detected: how far duplicate address detection is: of @c if it failed, else of all addresses
 * of the interface. Return: 0, 1 if @c is not there, or -errno.
 */
int addr_detected(struct netlink *nl, uint32_t ifindex, const struct cidr *c,
		  enum addr_detected *ret, struct err *e);
/* addr_first: the first global address of an interface, family 0 if there is none. */
int addr_first(struct netlink *nl, uint32_t ifindex, uint8_t family, struct ip *ret, struct err *e);
enum route_where {
	ROUTE_OF_TABLE,    /* in its table */
	ROUTE_OF_INTERFACE /* in any table, if it names an interface */
};
enum route_found {
	ROUTE_THERE,
	ROUTE_ABSENT,
	ROUTE_CHANGED /* one to its destination by its interface is there, but not as @r says */
};
/*
 * route_find: what @r leaves open (0) may be anything; a gateway not: without one there is none.
 * Return: enum route_found, or a negative errno.
 */
int route_find(struct netlink *nl, const struct route_spec *r, enum route_where where,
	       struct err *e);
/* route_is_taken: of a route to one address, likewise: it is there, and the kernel sends by it. */
int route_is_taken(struct netlink *nl, const struct route_spec *r, struct err *e);
int neigh_find(struct netlink *nl, uint32_t ifindex, const struct ip *ip, const struct mac *mac,
	       struct err *e);

struct route_uplink {
	uint32_t ifindex; /* 0: no default route */
	char name[16];
	uint32_t mtu;
	struct ip src; /* preferred source towards the default route */
};
/* route_uplink_find: the interface of the default route of @family (RTM_GETROUTE, fib match). */
int route_uplink_find(struct netlink *nl, uint8_t family, struct route_uplink *ret, struct err *e);

/* route_default_gateway: of the default route of @family by the link @oif (0: by any); @ret of
 * family 0 if there is none. Return: 0, or a negative errno. */
int route_default_gateway(struct netlink *nl, uint8_t family, uint32_t oif, struct ip *ret,
			  struct err *e);

/* Where the kernel sends a packet. */
struct route_ask {
	struct ip dst;
	struct ip src; /* family 0: the kernel chooses */
	uint32_t iif;  /* 0: it is sent from here; else it came in there */
	uint32_t mark; /* of the packet, for rules of policy routing */
	uint8_t protocol;      /* IPPROTO_TCP, _UDP; 0: not told to the kernel, as the ports */
	uint16_t sport, dport; /* 0: not told */
};
struct route_way {
	uint32_t ifindex;
	struct ip gw;      /* family 0: none, the destination itself is on the link */
	struct ip src;     /* of what is sent from here without a source */
	bool local;        /* it is for this namespace itself */
	struct cidr match; /* what the route that decides says of destinations */
	uint32_t table;    /* where it stands */
};
/*
 * route_way_find: the kernel's own decision about one packet (RTM_GETROUTE; then again with fib
 * match, for the route that decides). What came in is judged as a packet is: with rp_filter, and
 * whether the interface forwards.
 * @ret_why: with 1, a positive errno: ENETUNREACH no route; EHOSTUNREACH no forwarding, or a route
 * of type unreachable; EACCES type prohibit; EINVAL type blackhole, an address that cannot be, or
 * rp_filter; EXDEV rp_filter, before Linux 6.13; ENODEV no such @iif.
 * Return: 0, 1 if the packet goes nowhere, or a negative errno.
 */
int route_way_find(struct netlink *nl, const struct route_ask *ask, struct route_way *ret,
		   int *ret_why, struct err *e);

/* Where an address is, by the route that decides for it. */
struct route_place {
	enum {
		PLACE_AWAY, /* behind a gateway or a tunnel, or there is no way there */
		PLACE_HERE, /* an address of this namespace */
		PLACE_LINK, /* a neighbour's on the link ifname: of its prefix, or a next hop */
	} where;
	char ifname[16];
};
/* route_place_find: one question to the kernel (RTM_GETROUTE, fib match), two for PLACE_LINK.
 * Return: 0, or a negative errno. */
int route_place_find(struct netlink *nl, const struct ip *ip, struct route_place *ret,
		     struct err *e);

/*
 * route_is_local: is @ip an address of this namespace, to which the kernel takes packets in? Not by
 * broadcast. Return: 1, 0, or a negative errno.
 */
int route_is_local(struct netlink *nl, const struct ip *ip, struct err *e);

struct neigh_info {
	struct mac mac;
	bool valid;        /* frames are sent to that MAC; else it is asked for first */
	bool fixed;        /* never asked for again: permanent or noarp */
	const char *state; /* "permanent", "reachable", …; static */
};
/* neigh_get: Return: 0, 1 if there is no entry, or a negative errno. */
int neigh_get(struct netlink *nl, uint32_t ifindex, const struct ip *ip, struct neigh_info *ret,
	      struct err *e);

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

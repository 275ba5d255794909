/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pool that lies on a LAN of the host, or a foreign IPAM plugin, could give a task an address
 * that this host or its router answers for: the task would take their traffic over. The kernel's
 * routes tell which those are; of other machines of the LAN nothing does.
 */
#include "cni/host_address.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define ADDRESSES 256 /* of the host, for STATUS */

static int find_routers(struct netlink *nl, uint32_t lan, uint8_t family, struct ip ret[2],
			struct err *e)
{
	int r = route_default_gateway(nl, family, 0, &ret[0], e);

	ret[1] = (struct ip){ 0 };
	return r == 0 && lan ? route_default_gateway(nl, family, lan, &ret[1], e) : r;
}

static int refuse(const struct ip *address, const char *whose, struct err *e)
{
	char text[IP_TEXT];

	ip_text(address, text);
	err_set(e, ERR_ADDRESS, EADDRINUSE, "%s is %s", text, whose);
	err_hint(e, "ask for another address; `ip route get %s` shows it", text);
	return 1;
}

int host_address_judge(struct plan_io *io, struct host_routers *routers, uint32_t lan,
		       const struct ip *address, struct err *e)
{
	unsigned family = address->family == AF_INET6;
	struct ip *of = routers->of[family];
	struct netlink *nl;
	int r = plan_io_route(io, HOST, &nl, e);

	if (r == 0)
		r = route_is_local(nl, address, e);
	if (r != 0)
		return r < 0 ? r
			     : refuse(address,
				      "an address of this host, or the gateway of other tasks", e);
	if (!routers->known[family])
		r = find_routers(nl, lan, address->family, of, e);
	routers->known[family] = r == 0;
	if (r < 0)
		return r;
	return ip_equal(&of[0], address) || ip_equal(&of[1], address)
		       ? refuse(address, "the router of this host's default route", e)
		       : 0;
}

/* Is there a set, each of whose ranges has lost its last address? */
static int refuse_empty(const struct pool *pool, struct err *e)
{
	for (unsigned i = 0; i < pool->n_sets; i++) {
		const struct pool_set *set = &pool->sets[i];
		char subnet[IP_TEXT];
		uint64_t left = 0;

		for (unsigned k = 0; k < set->n_ranges; k++)
			left |= set->ranges[k].capacity;
		if (left)
			continue;
		err_set(e, ERR_UNAVAILABLE, EADDRNOTAVAIL,
			"ipam.ranges: all addresses of %s that could be given are this host's own or "
			"its router's",
			cidr_text(&set->ranges[0].subnet, subnet));
		err_hint(e, "give the network a range that no machine of the LAN uses");
		return -EADDRNOTAVAIL;
	}
	return 0;
}

int host_address_avoid(struct plan_io *io, uint32_t lan, struct pool *pool, struct err *e)
{
	cleanup_free struct addr_info *all = calloc(ADDRESSES, sizeof(*all));
	struct ip routers[4];
	struct netlink *nl;
	unsigned n = 0;
	int r;

	if (!all)
		return err_sys(e, ERR_IO, ENOMEM, "addresses");
	r = plan_io_route(io, HOST, &nl, e);
	if (r == 0)
		r = addr_lasting(nl, 0, all, ADDRESSES, &n, e);
	if (r == 0)
		r = find_routers(nl, lan, AF_INET, &routers[0], e);
	if (r == 0)
		r = find_routers(nl, lan, AF_INET6, &routers[2], e);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < n; i++)
		pool_avoid(pool, &all[i].cidr.ip);
	for (unsigned i = 0; i < ARRAY_SIZE(routers); i++)
		if (ip_is_set(&routers[i]))
			pool_avoid(pool, &routers[i]);
	return refuse_empty(pool, e);
}

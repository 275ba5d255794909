/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses that are taken by the host itself, or by the router that it sends to. */
#ifndef CNI_HOST_ADDRESS_H
#define CNI_HOST_ADDRESS_H

#include "ipam/pool.h"
#include "plan/plan.h"

/* The routers of the default routes, each asked for once. */
struct host_routers {
	bool known[2];      /* by family: IPv4, IPv6 */
	struct ip of[2][2]; /* by any link, and by the task's LAN; family 0: none */
};

/*
 * host_address_judge: may a task get @address? Not where it is the host's own, the gateway of other
 * tasks, or the router of a default route: by any link, or by @lan (0: none), the link on whose LAN
 * the task will be. Two to four questions about routes, none of which waits.
 * @routers: zero at first.
 * Return: 0, 1 with *e (code 103), or a negative errno.
 */
int host_address_judge(struct plan_io *io, struct host_routers *routers, uint32_t lan,
		       const struct ip *address, struct err *e);

/*
 * host_address_avoid: take all such addresses out of @pool, for STATUS. Return: 0, or a negative
 * errno: code 50 where nothing is left.
 */
int host_address_avoid(struct plan_io *io, uint32_t lan, struct pool *pool, struct err *e);

#endif

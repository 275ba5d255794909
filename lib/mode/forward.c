/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host forwards. Turning IPv6 forwarding on makes the kernel ignore router advertisements on
 * every interface that takes them only as a host (accept_ra 1), and drop what they had taught: an
 * uplink that lives by them would lose its default route. So that uplink is told first to take them
 * as a router too (accept_ra 2).
 */
#include "mode/forward.h"

#include "kernel/sysctl.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* What a foreign IPAM plugin will give is not known yet. */
static bool may_have_ipv6(const struct netconf *c)
{
	return !c->pool.n_sets || pool_has_family(&c->pool, AF_INET6);
}

int mode_ra_uplink(const struct netconf *c, struct plan_io *io, char ret[static IFNAME_TEXT],
		   struct err *e)
{
	struct route_uplink uplink = { .ifindex = 0 };
	char path[80], value[16];
	struct netlink *nl;
	int r;

	if (!may_have_ipv6(c))
		return 0;
	r = sysctl_read("net/ipv6/conf/all/forwarding", value, sizeof(value), e);
	if (r != 0 || strcmp(value, "0") != 0)
		return r < 0 ? r : 0;
	r = plan_io_route(io, HOST, &nl, e);
	if (r == 0)
		r = route_uplink_find(nl, AF_INET6, &uplink, e);
	if (r < 0 || !uplink.ifindex)
		return r;
	snprintf(path, sizeof(path), "net/ipv6/conf/%s/accept_ra", uplink.name);
	r = sysctl_read(path, value, sizeof(value), e);
	if (r == 0 && strcmp(value, "1") == 0)
		text_copy(ret, IFNAME_TEXT, uplink.name);
	return r < 0 ? r : 0;
}

void plan_forwarding(struct plan *p)
{
	const struct attachment *a = p->a;

	if (attachment_has_family(a, AF_INET))
		plan_share(p, plan_sysctl(p, -1, HOST, "1", "net/ipv4/ip_forward"));
	if (!attachment_has_family(a, AF_INET6))
		return;
	if (a->accept_ra_uplink[0])
		plan_share(p, plan_sysctl(p, -1, HOST, "2", "net/ipv6/conf/%s/accept_ra",
					  a->accept_ra_uplink));
	plan_share(p, plan_sysctl(p, -1, HOST, "1", "net/ipv6/conf/all/forwarding"));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host. The task is in the host's own namespace, so there is nothing to make. What it needs is that
 * no other task has its ports: they are leased, for as long as the attachment lives.
 *
 *   task listens on :80  ==  host listens on :80     (hostPort 80 is held in the store)
 */
#include "host.h"

#include "mode/refuse.h"

#include <errno.h>
#include <net/if.h>
#include <sys/socket.h>

#define ADDRESSES 256 /* of the host that are looked at */

static int host_judge(const struct netconf *c, struct err *e)
{
	int r = mode_refuse_other_ports(c, "the container listens on the host itself", e);

	return r < 0 ? r : mode_refuse_interface(c, "host", e);
}

/* A blank host port is the container's. */
static int host_resolve(const struct netconf *c, struct plan_io *io, struct attachment *a,
			struct err *e)
{
	(void)c;
	(void)io;
	(void)e;
	for (unsigned i = 0; i < a->n_ports; i++)
		a->ports[i].host_port = a->ports[i].container_port;
	return 0;
}

/* ---- what the result tells ---- */

static bool has_link(const struct mode_view *v, uint32_t ifindex)
{
	for (unsigned i = 0; i < v->n_links; i++)
		if (v->links[i].ifindex == ifindex)
			return true;
	return false;
}

/* An interface, if it is one of the result's, and its addresses if they are @told. */
static int view_link(struct netlink *nl, uint32_t ifindex, bool told, struct mode_view *v,
		     struct err *e)
{
	struct addr_info found[MODE_VIEW_IPS];
	struct link_info link;
	unsigned n = 0;
	int r;

	if (!ifindex || v->n_links == MODE_VIEW_LINKS || has_link(v, ifindex))
		return 0;
	r = link_by_index(nl, ifindex, &link, e);
	if (r || !(link.flags & IFF_UP) || (link.flags & IFF_LOOPBACK))
		return r < 0 ? r : 0;
	r = told ? addr_lasting(nl, ifindex, found, MODE_VIEW_IPS, &n, e) : 0;
	for (unsigned i = 0; i < n && v->n_ips < MODE_VIEW_IPS; i++)
		v->ips[v->n_ips++] = (struct mode_view_ip){ found[i].cidr, v->n_links };
	v->links[v->n_links++] = link;
	return r;
}

/*
 * The interfaces that are up and have an address, that of the default route first. Only the
 * latter's addresses are told: runtimes write every address of a result into the hosts files of
 * others, and those of docker0 and the like lead nowhere from there. Where there is no default
 * route, none is better than another, and all are told.
 */
static int host_view(struct plan_io *io, struct mode_view *ret, struct err *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct addr_info all[ADDRESSES];
	struct route_uplink uplink;
	struct netlink *nl;
	unsigned n = 0;
	bool told;
	int r = plan_io_route(io, HOST, &nl, e);

	for (size_t i = 0; i < ARRAY_SIZE(families) && !r; i++) {
		r = route_uplink_find(nl, families[i], &uplink, e);
		if (!r)
			r = view_link(nl, uplink.ifindex, true, ret, e);
	}
	if (!r)
		r = addr_lasting(nl, 0, all, ADDRESSES, &n, e);
	told = !ret->n_links;
	for (unsigned i = 0; i < n && !r; i++)
		r = view_link(nl, all[i].ifindex, told, ret, e);
	return r;
}

/* Nothing to make. */
static void host_plan(const struct attachment *a, struct plan *p)
{
	plan_init(p, a);
}

const struct mode mode_host = {
	.name = "host",
	.help = "The host's own network; the ports of the task are kept from all others.",
	.leases_ports = true,
	.host_namespace = true,
	.judge = host_judge,
	.resolve = host_resolve,
	.view = host_view,
	.plan = host_plan,
};

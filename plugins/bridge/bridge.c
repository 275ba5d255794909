/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mode, and what STATUS warns of. */
#include "bridge.h"

#include <string.h>

#define ADDRESSES 256

/* Another program's bridge or LAN with the same addresses: the host has two ways there. */
static void warn_of_overlap(const struct netconf *c, const struct pool_range *range,
			    struct netlink *nl, struct text *warn)
{
	struct addr_info list[ADDRESSES];
	char subnet[IP_TEXT], text[IP_TEXT];
	struct link_info link;
	struct err ignored;
	unsigned n = 0;

	addr_lasting(nl, 0, list, ADDRESSES, &n, &ignored);
	for (unsigned i = 0; i < n; i++)
		if (cidr_overlap(&range->subnet, &list[i].cidr) &&
		    link_by_index(nl, list[i].ifindex, &link, &ignored) == 0 &&
		    strcmp(link.name, bridge_conf(c)->bridge) != 0)
			text_add(warn,
				 "ipam.ranges: %s overlaps with %s on %s: the host has two ways "
				 "there, and one of them is wrong\n",
				 cidr_text(&range->subnet, subnet), cidr_text(&list[i].cidr, text),
				 link.name);
}

static int warn_of_overlaps(const struct netconf *c, struct plan_io *io, struct text *warn,
			    struct err *e)
{
	struct netlink *nl;
	int r = plan_io_route(io, HOST, &nl, e);

	for (unsigned i = 0; i < c->pool.n_sets && r == 0; i++)
		for (unsigned k = 0; k < c->pool.sets[i].n_ranges; k++)
			warn_of_overlap(c, &c->pool.sets[i].ranges[k], nl, warn);
	return r;
}

static int bridge_status(const struct netconf *c, struct plan_io *io, struct text *warn,
			 struct err *e)
{
	int r = warn_of_overlaps(c, io, warn, e);

	bridge_warn_of_keys(c->root, warn);
	return r < 0 ? r : mode_status_nft(c, bridge_conf(c)->bridge, io, warn, e);
}

const struct mode mode_bridge = {
	.name = "bridge",
	.help = "A Linux bridge: gateway, masquerade, published ports, shaping.",
	.fields = bridge_fields,
	.defaults = bridge_defaults,
	.reserve = RESERVE_MINIMAL,
	.has_interface = true,
	.leases_ports = true,
	.judge = bridge_judge,
	.resolve = bridge_resolve,
	.accept = bridge_accept,
	.dynamic_ports = bridge_dynamic_ports,
	.plan = bridge_plan,
	.status = bridge_status,
	.knows = bridge_knows_key,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge.h"

static int bridge_status(const struct netconf *c, struct plan_io *io, struct text *warn,
			 struct err *e)
{
	bridge_warn_of_keys(c->root, warn);
	return mode_status_nft(c, bridge_conf(c)->bridge, io, warn, e);
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

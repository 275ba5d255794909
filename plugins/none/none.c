/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A container with no network but its own loopback. Like the plugin loopback, save that it says no
 * to whoever wants to reach the container.
 */
#include "none.h"

#include "mode/loopback.h"
#include "mode/refuse.h"

#include <errno.h>

static int none_judge(const struct netconf *c, struct err *e)
{
	if (json_count(c->ipam)) {
		err_set(e, ERR_CONFIG, 0,
			"ipam: the mode none gives no addresses and keeps no store");
		err_hint(e, "leave ipam out of the network configuration");
		return -EINVAL;
	}
	if (!c->n_ports)
		return mode_refuse_interface(c, "none", e);
	err_set(e, ERR_CONFIG, 0,
		"runtimeConfig.portMappings[0]: containerPort %u cannot be published, the mode "
		"none has loopback only",
		c->ports[0].container_port);
	err_hint(e, "start the container without -p, or use task-bridge");
	return -EINVAL;
}

const struct mode mode_none = {
	.name = "none",
	.help = "No network: the loopback interface, up.",
	.stateless = true,
	.judge = none_judge,
	.view = mode_loopback_view,
	.plan = mode_loopback_plan,
};

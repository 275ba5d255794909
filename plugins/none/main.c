/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * task-none: a container with no network but its own loopback. Like the plugin loopback, save that
 * it says no to whoever wants to reach the container.
 */
#include "cni/cni.h"
#include "mode/loopback.h"
#include "mode/refuse.h"

#include <errno.h>

static int none_judge(const struct netconf *c, struct err *e)
{
	if (!c->n_ports)
		return mode_refuse_addresses(c, "none", e);
	err_set(e, ERR_CONFIG, 0,
		"runtimeConfig.portMappings[0]: containerPort %u cannot be published, the mode "
		"none has loopback only", c->ports[0].container_port);
	err_hint(e, "start the container without -p, or use task-bridge");
	return -EINVAL;
}

static const struct mode mode_none = {
	.name = "none",
	.help = "No network: the loopback interface, up.",
	.has_interface = true,
	.stateless = true,
	.judge = none_judge,
	.resolve = mode_loopback_resolve,
	.plan = mode_loopback_plan,
};

static const struct mode *const modes[] = { &mode_none, NULL };

static const struct plugin plugin = {
	.name = "task-none",
	.help = "Gives a task its loopback interface and nothing else.",
	.modes = modes,
};

int main(int argc, char **argv)
{
	return cni_main(argc, argv, &plugin);
}

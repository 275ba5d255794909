/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "awsvpc.h"
#include "cni/cni.h"
#include "modes.h"

#include <string.h>

static const struct mode *const modes[] = { &mode_routed, &mode_macvlan, NULL };

/* A wrong value of `attach` is told by the fields table, so only the right ones matter here. */
static const struct mode *select_mode(const json *root, struct err *e)
{
	const char *attach = json_string(json_get(root, "attach"));

	(void)e;
	return attach && strcmp(attach, "macvlan") == 0 ? &mode_macvlan : &mode_routed;
}

static const struct plugin plugin = {
	.name = "awsvpc",
	.help = "Gives a task its own interface and its own address out of a pool of VPC subnets.",
	.modes = modes,
	.known = all_modes,
	.select = select_mode,
};

int main(int argc, char **argv)
{
	return cni_main(argc, argv, &plugin);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/cni.h"
#include "ipam.h"
#include "modes.h"

static const struct mode *const modes[] = { &mode_ipam, NULL };

static const struct plugin plugin = {
	.name = "task-ipam",
	.help = "Gives addresses out of a pool of subnets to any interface plugin.",
	.modes = modes,
	.known = all_modes,
	.is_ipam = true,
};

int main(int argc, char **argv)
{
	return cni_main(argc, argv, &plugin);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge.h"
#include "cni/cni.h"
#include "modes.h"

static const struct mode *const modes[] = { &mode_bridge, NULL };

static const struct plugin plugin = {
	.name = "task-bridge",
	.help = "Attaches containers to a Linux bridge and publishes their ports.",
	.modes = modes,
	.known = all_modes,
};

int main(int argc, char **argv)
{
	return cni_main(argc, argv, &plugin);
}

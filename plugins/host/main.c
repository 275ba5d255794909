/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/cni.h"
#include "host.h"
#include "modes.h"

static const struct mode *const modes[] = { &mode_host, NULL };

static const struct plugin plugin = {
	.name = "task-host",
	.help = "Keeps the ports of a task that runs in the host's own network namespace.",
	.modes = modes,
	.known = all_modes,
};

int main(int argc, char **argv)
{
	return cni_main(argc, argv, &plugin);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/cni.h"
#include "modes.h"
#include "none.h"

static const struct mode *const modes[] = { &mode_none, NULL };

static const struct plugin plugin = {
	.name = "task-none",
	.help = "Gives a task its loopback interface and nothing else.",
	.modes = modes,
	.known = all_modes,
};

int main(int argc, char **argv)
{
	return cni_main(argc, argv, &plugin);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loopback: raises lo. containerd's CRI runs a plugin of this name for every pod, beside the
 * network's own, and starts no pod without it. It takes and keeps nothing.
 */
#include "cni/cni.h"
#include "mode/loopback.h"
#include "modes.h"

static const struct mode mode_loopback = {
	.name = "loopback",
	.help = "The loopback interface, up.",
	.stateless = true,
	.view = mode_loopback_view,
	.plan = mode_loopback_plan,
};

static const struct mode *const modes[] = { &mode_loopback, NULL };

static const struct plugin plugin = {
	.name = "loopback",
	.help = "Raises the loopback interface (taskvpc).",
	.modes = modes,
	.known = all_modes,
};

int main(int argc, char **argv)
{
	return cni_main(argc, argv, &plugin);
}

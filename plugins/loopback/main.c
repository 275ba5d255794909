/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loopback: raises lo. containerd's CRI runs a plugin of this name for every pod, beside the
 * network's own, and starts no pod without it. It takes and keeps nothing.
 */
#include "cni/cni.h"

#include <string.h>

static int loopback_resolve(const struct netconf *c, struct plan_io *io, struct attachment *a,
			    struct err *e)
{
	static const char *const addresses[] = { "127.0.0.1/8", "::1/128" };

	(void)c;
	(void)io;
	(void)e;
	/* Whatever CNI_IFNAME says, there is one loopback interface, and its MAC is zero. */
	text_copy(a->ifname, sizeof(a->ifname), "lo");
	memset(&a->mac, 0, sizeof(a->mac));
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		if (cidr_parse(addresses[i], &a->addresses[a->n_addresses].cidr))
			a->n_addresses++;
	return 0;
}

static void loopback_plan(const struct attachment *a, struct plan *p)
{
	const struct ifref lo = { .name = "lo", .ifindex = 1 };
	const struct link_settings up = { .up = true };

	plan_init(p, a);
	plan_link(p, -1, TASK, &lo, &up);
}

static const struct mode mode_loopback = {
	.name = "loopback",
	.help = "The loopback interface, up.",
	.has_interface = true,
	.stateless = true,
	.resolve = loopback_resolve,
	.plan = loopback_plan,
};

static const struct mode *const modes[] = { &mode_loopback, NULL };

static const struct plugin plugin = {
	.name = "loopback",
	.help = "Raises the loopback interface (taskvpc).",
	.modes = modes,
};

int main(int argc, char **argv)
{
	return cni_main(argc, argv, &plugin);
}

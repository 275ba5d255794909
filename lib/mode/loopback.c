/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lo of a namespace: every namespace has it, with these addresses as soon as it is up. */
#include "mode/loopback.h"

#include <string.h>

int mode_loopback_resolve(const struct netconf *c, struct plan_io *io, struct attachment *a,
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

void mode_loopback_plan(const struct attachment *a, struct plan *p)
{
	const struct ifref lo = { .name = "lo", .ifindex = LOOPBACK_INDEX };
	const struct link_settings up = { .up = true };

	plan_init(p, a);
	plan_link(p, -1, TASK, &lo, &up);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lo of a namespace: every namespace has it, with its addresses as soon as it is up. */
#include "mode/loopback.h"

/* Where IPv6 is off, there is no ::1. */
int mode_loopback_view(struct plan_io *io, struct mode_view *ret, struct err *e)
{
	static const char *const addresses[] = { "127.0.0.1/8", "::1/128" };
	struct cidr cidr;
	struct netlink *nl;
	int r = plan_io_route(io, TASK, &nl, e);

	ret->of_task = true;
	if (r == 0)
		r = link_by_index(nl, LOOPBACK_INDEX, &ret->links[0], e);
	if (r != 0)
		return r < 0 ? r : 0;
	ret->n_links = 1;
	for (size_t i = 0; i < ARRAY_SIZE(addresses) && r >= 0; i++) {
		r = cidr_parse(addresses[i], &cidr) ? addr_find(nl, LOOPBACK_INDEX, &cidr, e) : 1;
		if (r == 0)
			ret->ips[ret->n_ips++].cidr = cidr;
	}
	return r < 0 ? r : 0;
}

void mode_loopback_plan(const struct attachment *a, struct plan *p)
{
	const struct ifref lo = { .name = "lo", .ifindex = LOOPBACK_INDEX };
	const struct link_settings up = { .up = true };

	plan_init(p, a);
	plan_link(p, -1, TASK, &lo, &up);
}

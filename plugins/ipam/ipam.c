/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pool for bridge, ptp, macvlan and every other interface plugin that delegates. Its
 * attachments have leases and a record, but nothing in the kernel.
 */
#include "ipam.h"

static int nothing_to_resolve(const struct netconf *c, struct plan_io *io, struct attachment *a,
			      struct err *e)
{
	(void)c;
	(void)io;
	(void)a;
	(void)e;
	return 0;
}

/* Its caller makes the link. What the host tracks of it ends with the address all the same. */
static void ipam_plan(const struct attachment *a, struct plan *p)
{
	plan_init(p, a);
	plan_flows_end(p);
}

const struct mode mode_ipam = {
	.name = "ipam",
	.help = "Addresses out of a pool of subnets, for other interface plugins.",
	.reserve = RESERVE_MINIMAL,
	.needs_address = true,
	.resolve = nothing_to_resolve,
	.plan = ipam_plan,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An intermediate device: what enters an interface cannot be shaped there, so it is redirected to
 * this one and shaped as it leaves. Born down; a link step raises it.
 */
#include "plan/io.h"

#include "kernel/qdisc.h"

#include <linux/if.h>
#include <string.h>

static void ifb_add(const struct step *s, struct plan_io *io, struct batch *b)
{
	(void)io;
	link_add_ifb(b, &s->ifb.end);
}

static int ifb_undo(const struct step *s, const struct plan *p, struct plan_io *io, struct err *e)
{
	(void)p;
	return plan_release_link(io, HOST, s->ifb.end.ifindex, "ifb", e);
}

static int ifb_check(const struct step *s, const struct plan *p, struct plan_io *io, struct err *e)
{
	struct link_info link = { .flags = 0 };
	struct netlink *nl;
	int r = plan_io_route(io, HOST, &nl, e);

	(void)p;
	if (r == 0)
		r = link_by_index(nl, s->ifb.end.ifindex, &link, e);
	if (r < 0)
		return r;
	if (r == 1 || strcmp(link.kind, "ifb") != 0)
		err_set(e, ERR_CHECK, 0,
			"the interface %s, which shapes what leaves the task, is gone",
			s->ifb.end.name);
	else if (strcmp(link.name, s->ifb.end.name) != 0)
		err_set(e, ERR_CHECK, 0, "the interface %s is now called %s", s->ifb.end.name,
			link.name);
	else if (!(link.flags & IFF_UP))
		err_set(e, ERR_CHECK, 0, "the interface %s is down", s->ifb.end.name);
	else
		return 0;
	return 1;
}

static void ifb_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	const struct link_end *end = &s->ifb.end;
	char mac[MAC_TEXT];

	(void)p;
	text_add(t, "ip link %s ", undo ? "del dev" : "add name");
	text_add_shell(t, end->name);
	if (undo)
		return;
	text_add(t, " index %u", end->ifindex);
	if (mac_is_set(&end->mac))
		text_add(t, " address %s", mac_text(&end->mac, mac));
	text_add(t, " numtxqueues 1 numrxqueues 1 type ifb");
}

const struct step_kind step_ifb = {
	.name = "ifb",
	.via = VIA_ROUTE,
	.add = ifb_add,
	.undo = ifb_undo,
	.check = ifb_check,
	.print = ifb_print,
};

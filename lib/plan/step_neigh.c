/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A neighbour that is written, not learned: nobody else can claim the address. */
#include "plan/step.h"

static void neigh_step_add(const struct step *s, struct plan_io *io, struct batch *b)
{
	(void)io;
	neigh_add(b, s->neigh.dev.ifindex, &s->neigh.ip, &s->neigh.mac);
}

static void neigh_step_drop(const struct step *s, struct plan_io *io, struct batch *b)
{
	(void)io;
	neigh_del(b, s->neigh.dev.ifindex, &s->neigh.ip, TOLERATE_ABSENT);
}

static int neigh_check(const struct step *s, const struct plan *p, struct plan_io *io,
		       struct err *e)
{
	char text[IP_TEXT];
	struct netlink *nl;
	int r = plan_io_route(io, s->side, &nl, e);

	(void)p;
	if (r == 0)
		r = neigh_find(nl, s->neigh.dev.ifindex, &s->neigh.ip, &s->neigh.mac, e);
	if (r == 1)
		err_set(e, ERR_CHECK, 0, "the permanent neighbour %s of %s is gone",
			ip_text(&s->neigh.ip, text), s->neigh.dev.name);
	return r;
}

static void neigh_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	char ip[IP_TEXT], mac[MAC_TEXT];

	(void)p;
	text_add(t, "ip neigh %s %s ", undo ? "del" : "replace", ip_text(&s->neigh.ip, ip));
	if (!undo)
		text_add(t, "lladdr %s ", mac_text(&s->neigh.mac, mac));
	text_add(t, "dev ");
	text_add_shell(t, s->neigh.dev.name);
	text_add(t, undo ? "" : " nud permanent");
}

const struct step_kind step_neigh = {
	.name = "neigh",
	.via = VIA_ROUTE,
	.add = neigh_step_add,
	.drop = neigh_step_drop,
	.check = neigh_check,
	.print = neigh_print,
};

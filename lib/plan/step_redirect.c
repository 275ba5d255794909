/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that enters one interface leaves by another. It goes with the ingress hook it hangs on. */
#include "plan/step.h"

#include "kernel/qdisc.h"

static void redirect_step_add(const struct step *s, struct plan_io *io, struct batch *b)
{
	(void)io;
	redirect_add(b, s->redirect.dev.ifindex, s->redirect.to.ifindex);
}

static int redirect_check(const struct step *s, const struct plan *p, struct plan_io *io,
			  struct err *e)
{
	struct netlink *nl;
	int r = plan_io_route(io, s->side, &nl, e);

	(void)p;
	if (r == 0)
		r = redirect_find(nl, s->redirect.dev.ifindex, s->redirect.to.ifindex, e);
	if (r == 1)
		err_set(e, ERR_CHECK, 0, "what enters %s is not redirected to %s",
			s->redirect.dev.name, s->redirect.to.name);
	return r;
}

static void redirect_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	(void)p;
	if (undo)
		return;
	text_add(t, "tc filter add dev ");
	text_add_shell(t, s->redirect.dev.name);
	text_add(t, " parent ffff: protocol all prio 1 u32 match u32 0 0");
	text_add(t, " action mirred egress redirect dev ");
	text_add_shell(t, s->redirect.to.name);
}

const struct step_kind step_redirect = {
	.name = "redirect",
	.via = VIA_ROUTE,
	.add = redirect_step_add,
	.check = redirect_check,
	.print = redirect_print,
};

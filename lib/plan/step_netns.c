/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The task's own namespace under its name. The namespace exists before the plan does (a descriptor
 * holds it, so that its cookie is in the record); the step only gives it the name that keeps it.
 * All attachments in it share the name.
 */
#include "plan/step.h"

#include <errno.h>

static int netns_apply(const struct step *s, const struct plan *p, struct plan_io *io,
		       struct err *e)
{
	struct netns ns = NETNS_NONE;
	int r = netns_reopen(p->a->netns, p->a->netns_cookie, &ns, e);

	(void)s;
	netns_close(&ns);
	if (r == 1)
		r = netns_bind(&io->task, p->a->netns, e);
	io->name_taken = r == -EEXIST;
	return r;
}

static int netns_undo(const struct step *s, const struct plan *p, struct plan_io *io, struct err *e)
{
	(void)s;
	/* Here a file of others would look like what a kill leaves of ours. */
	if (io->name_taken)
		return 0;
	return netns_unbind(p->a->netns, p->a->netns_cookie, e);
}

static int netns_check(const struct step *s, const struct plan *p, struct plan_io *io,
		       struct err *e)
{
	struct netns ns = NETNS_NONE;
	int r = netns_reopen(p->a->netns, p->a->netns_cookie, &ns, e);

	(void)s;
	(void)io;
	netns_close(&ns);
	if (r == 1)
		err_set(e, ERR_CHECK, 0, "%s is not the namespace that was made for the task",
			p->a->netns);
	return r;
}

static void netns_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	const char *name = netns_name(p->a->netns);

	(void)s;
	text_add(t, "ip netns %s ", undo ? "del" : "add");
	text_add_shell(t, name ? name : p->a->netns);
}

const struct step_kind step_netns = {
	.name = "netns",
	.via = VIA_CALL,
	.apply = netns_apply,
	.undo = netns_undo,
	.check = netns_check,
	.print = netns_print,
};

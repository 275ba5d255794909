/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One element of an nftables set: what differs from task to task. */
#include "plan/step.h"

static void element_add(const struct step *s, struct plan_io *io, struct batch *b)
{
	(void)io;
	nft_element_add(b, s->element.table, &s->element.element);
}

static void element_drop(const struct step *s, struct plan_io *io, struct batch *b)
{
	io->expiring |= !s->element.element.lasting;
	nft_element_drop(b, s->element.table, &s->element.element);
}

static void element_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	(void)p;
	nft_element_print(undo ? "delete" : "add", s->element.table, &s->element.element, t);
}

static int element_check(const struct step *s, const struct plan *p, struct plan_io *io,
			 struct err *e)
{
	char line[256];
	struct netlink *nl;
	struct text t;
	int r = plan_io_nft(io, &nl, e);

	(void)p;
	if (r == 0)
		r = nft_element_find(nl, s->element.table, &s->element.element, e);
	if (r != 1)
		return r;
	text_init(&t, line, sizeof(line));
	nft_element_print("get", s->element.table, &s->element.element, &t);
	err_set(e, ERR_CHECK, 0, "an nftables element of the task is gone: %s", line);
	return 1;
}

const struct step_kind step_element = {
	.name = "element",
	.via = VIA_NFT,
	.add = element_add,
	.drop = element_drop,
	.check = element_check,
	.print = element_print,
};

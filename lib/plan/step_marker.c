/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store marker: an element of the set `stores`, one for each store, which says that the table
 * has not been flushed since the elements of all the store's records were written. So it is no part
 * of what ADD applies: whoever has restored all of them writes it, and the last attachment takes it
 * away. Another store that loads the table again does not bring it back.
 */
#include "plan/io.h"

static const struct step *marker_of(const struct plan *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->steps[i].kind == &step_marker)
			return &p->steps[i];
	return NULL;
}

int plan_marker_find(const struct plan *p, struct plan_io *io, struct err *e)
{
	const struct step *s = marker_of(p);
	struct netlink *nl;
	int r = s ? plan_io_nft(io, &nl, e) : 0;

	return s && r == 0 ? nft_element_find(nl, s->element.table, &s->element.element, e) : r;
}

/* One request, sent at once: of an element that is written or dropped. */
static int send_alone(const struct step *s, struct plan_io *io,
		      void (*build)(struct batch *, const char *, const struct nft_element *),
		      struct err *e)
{
	struct netlink *nl;
	int r = plan_io_nft(io, &nl, e);

	if (r < 0)
		return r;
	batch_reset(io->batch);
	nft_begin(io->batch);
	build(io->batch, s->element.table, &s->element.element);
	nft_commit(io->batch);
	return batch_send(io->batch, nl, &io->failure, e);
}

int plan_marker_write(const struct plan *p, struct plan_io *io, struct err *e)
{
	const struct step *s = marker_of(p);

	return s ? send_alone(s, io, nft_element_add, e) : 0;
}

bool plan_has_marker(const struct plan *p)
{
	return marker_of(p);
}

static int marker_undo(const struct step *s, const struct plan *p, struct plan_io *io,
		       struct err *e)
{
	struct netlink *nl;
	int r = plan_io_nft(io, &nl, e);

	(void)p;
	if (r == 0)
		r = nft_element_find(nl, s->element.table, &s->element.element, e);
	if (r != 0)
		return r < 0 ? r : 0;
	io->expiring = true;
	return send_alone(s, io, nft_element_drop, e);
}

static int marker_check(const struct step *s, const struct plan *p, struct plan_io *io,
			struct err *e)
{
	int r = plan_marker_find(p, io, e);

	(void)s;
	if (r != 1)
		return r;
	err_set(e, ERR_CHECK, 0, "the nftables rules were flushed, and not all are back");
	err_hint(e, "to repair it: taskvpc gc");
	return 1;
}

static void marker_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	(void)p;
	nft_element_print(undo ? "delete" : "add", s->element.table, &s->element.element, t);
}

const struct step_kind step_marker = {
	.name = "marker",
	.via = VIA_CALL,
	.undo = marker_undo,
	.check = marker_check,
	.print = marker_print,
};

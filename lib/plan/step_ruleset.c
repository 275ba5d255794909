/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The constant skeleton of nftables, shared by all attachments of the host. Ensured: asked for by a
 * few small requests, loaded as text only where it is missing or was flushed.
 */
#include "plan/io.h"

static int ruleset_apply(const struct step *s, const struct plan *p, struct plan_io *io,
			 struct err *e)
{
	struct netlink *nl;
	int r = plan_io_nft(io, &nl, e);

	(void)p;
	if (r == 0)
		r = nft_ruleset_intact(nl, s->ruleset, e);
	if (r < 0 && plan_io_lacks_nft(io))
		err_hint(e, "the kernel needs nf_tables (CONFIG_NF_TABLES)");
	if (r != 1)
		return r;
	io->ruleset_loaded = true;
	return nft_load(s->ruleset->text, e);
}

static int ruleset_undo(const struct step *s, const struct plan *p, struct plan_io *io,
			struct err *e)
{
	struct netlink *nl;
	int r = plan_io_nft(io, &nl, e);

	(void)p;
	if (r == 0)
		r = nft_ruleset_drop_idle(nl, io->batch, s->ruleset, e);
	return r < 0 ? r : 0;
}

static int ruleset_check(const struct step *s, const struct plan *p, struct plan_io *io,
			 struct err *e)
{
	struct netlink *nl;
	int r = plan_io_nft(io, &nl, e);

	(void)p;
	if (r == 0)
		r = nft_ruleset_intact(nl, s->ruleset, e);
	if (r != 1)
		return r;
	err_set(e, ERR_CHECK, 0, "the nftables rules of table %s %s (%s) are gone or changed",
		nft_family_name(s->ruleset->family), s->ruleset->table, s->ruleset->name);
	/* The elements are gone as well, and those of all other tasks. */
	err_hint(e, "to repair it: taskvpc gc");
	return 1;
}

static void ruleset_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	(void)p;
	if (undo)
		text_add(t, "nft delete table %s %s", nft_family_name(s->ruleset->family),
			 s->ruleset->table);
	else
		text_add(t, "nft -f - <<'EOF'\n%sEOF", s->ruleset->text);
}

const struct step_kind step_ruleset = {
	.name = "ruleset",
	.via = VIA_CALL,
	.apply = ruleset_apply,
	.undo = ruleset_undo,
	.check = ruleset_check,
	.print = ruleset_print,
};

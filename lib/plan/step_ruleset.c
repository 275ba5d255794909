/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The constant skeleton of nftables, shared by all attachments of the host. Ensured: asked for by a
 * few small requests, loaded as text only where it is missing or was flushed.
 */
#include "plan/io.h"

#include <errno.h>
#include <string.h>

static bool same_values(const struct nft_values *a, const struct nft_values *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Numbers stand in the text, and the text is one for all attachments of the host. */
static int refuse_values(const struct nft_ruleset *r, const struct nft_values *loaded,
			 const struct nft_values *wanted, struct err *e)
{
	char has[256], wants[256];
	struct text t;

	text_init(&t, has, sizeof(has));
	nft_ruleset_values_text(r, loaded, &t);
	text_init(&t, wants, sizeof(wants));
	nft_ruleset_values_text(r, wanted, &t);
	err_set(e, ERR_CONFIG, EEXIST, "table %s %s (%s): loaded with %s, not with %s",
		nft_family_name(r->family), r->table, r->name, has, wants);
	err_hint(e, "these keys are one for all networks of a host: use the same values, or end "
		    "its tasks first (taskvpc ls)");
	return -EEXIST;
}

/* Return: 0 as planned, 1 it must be loaded, or a negative errno. */
static int ask_ruleset(const struct step *s, struct plan_io *io, struct err *e)
{
	const struct nft_ruleset *rules = s->ruleset.rules;
	const struct nft_values *wanted = &s->ruleset.values;
	struct nft_values loaded;
	struct netlink *nl;
	int r = plan_io_nft(io, &nl, e);

	if (r < 0)
		return r;
	r = nft_ruleset_intact(nl, io->batch, rules, &loaded, e);
	if (r == 1 && rules->stamp && nft_ruleset_values(nl, io->batch, rules, &loaded, e) != 0)
		return 1; /* nothing is loaded that could differ */
	if (r < 0 || !rules->stamp || !wanted->v[0] || same_values(&loaded, wanted))
		return r;
	return refuse_values(rules, &loaded, wanted, e);
}

static int load(const struct step *s, struct err *e)
{
	char buf[NFT_TEXT_MAX];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	nft_ruleset_text(s->ruleset.rules, &s->ruleset.values, &t);
	return nft_load(buf, e);
}

static int ruleset_apply(const struct step *s, const struct plan *p, struct plan_io *io,
			 struct err *e)
{
	int r = ask_ruleset(s, io, e);

	(void)p;
	if (r < 0 && plan_io_lacks_nft(io))
		err_hint(e, "the kernel needs nf_tables (CONFIG_NF_TABLES)");
	if (r != 1)
		return r;
	io->ruleset_loaded = true;
	return load(s, e);
}

static int ruleset_undo(const struct step *s, const struct plan *p, struct plan_io *io,
			struct err *e)
{
	struct netlink *nl;
	int r = plan_io_nft(io, &nl, e);

	(void)p;
	if (r == 0)
		r = nft_ruleset_drop_idle(nl, io->batch, s->ruleset.rules, e);
	return r < 0 ? r : 0;
}

static int ruleset_check(const struct step *s, const struct plan *p, struct plan_io *io,
			 struct err *e)
{
	const struct nft_ruleset *rules = s->ruleset.rules;
	int r = ask_ruleset(s, io, e);

	(void)p;
	if (r == -EEXIST)
		e->code = ERR_CHECK;
	if (r != 1)
		return r == -EEXIST ? 1 : r;
	err_set(e, ERR_CHECK, 0, "the nftables rules of table %s %s (%s) are gone or changed",
		nft_family_name(rules->family), rules->table, rules->name);
	/* The elements are gone as well, and those of all other tasks. */
	err_hint(e, "to repair it: taskvpc gc");
	return 1;
}

static void ruleset_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	const struct nft_ruleset *rules = s->ruleset.rules;

	(void)p;
	if (undo) {
		text_add(t, "nft delete table %s %s", nft_family_name(rules->family), rules->table);
		return;
	}
	text_add(t, "nft -f - <<'EOF'\n");
	nft_ruleset_text(rules, &s->ruleset.values, t);
	text_add(t, "EOF");
}

const struct step_kind step_ruleset = {
	.name = "ruleset",
	.via = VIA_CALL,
	.apply = ruleset_apply,
	.undo = ruleset_undo,
	.check = ruleset_check,
	.print = ruleset_print,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What does a rule of others do with packets? Only its verdict is read, and whether conditions
 * stand before it. Everything that is not known to be harmless may drop: who asks wants to know
 * what certainly gets through.
 */
#include "kernel/nft_rule.h"

#include <linux/netfilter/nf_tables_compat.h>
#include <string.h>

bool nft_nested(struct nlattr **tb, int max, const struct nlattr *a)
{
	return a && nla_parse_nested(tb, max, (struct nlattr *)(uintptr_t)a, NULL) == 0;
}

bool nft_text(const struct nlattr *a, char *ret, size_t size)
{
	size_t len = a ? strnlen(nla_data(a), (size_t)nla_len(a)) : size;

	if (len >= size)
		return false;
	memcpy(ret, nla_data(a), len);
	ret[len] = '\0';
	return true;
}

/* ---- verdicts ---- */

static void may_do_anything(struct nft_reading *r)
{
	r->accepts = r->drops = true;
}

static void add_lead(struct nft_reading *r, const struct nlattr *name, bool is_map)
{
	struct nft_lead lead = { .is_map = is_map };

	if (!r->leads)
		return;
	if (!nft_text(name, lead.name, sizeof(lead.name))) {
		may_do_anything(r);
		return;
	}
	for (unsigned i = 0; i < r->n_leads; i++)
		if (r->leads[i].is_map == is_map && !strcmp(r->leads[i].name, lead.name))
			return;
	if (r->n_leads == NFT_LEADS_MAX)
		may_do_anything(r);
	else
		r->leads[r->n_leads++] = lead;
}

/* What jumps comes back, as far as this chain is concerned; what goes to another chain does not. */
static void decide(struct nft_reading *r, int code, const struct nlattr *chain, bool conditions)
{
	if (code == NFT_CONTINUE || code == NFT_BREAK)
		return;
	if (code == NFT_JUMP || code == NFT_GOTO)
		add_lead(r, chain, false);
	if (code == NFT_JUMP)
		return;
	r->accepts |= code == NF_ACCEPT;
	r->drops |= code == NF_DROP;
	r->returns |= code == NFT_RETURN || code == NFT_GOTO;
	if (code > NF_ACCEPT) /* to a program, which may do either */
		may_do_anything(r);
	if (conditions)
		return;
	r->over = true;
	r->last = code;
}

/* Return: does @data hold a verdict? */
static bool read_verdict(struct nft_reading *r, const struct nlattr *data, bool conditions)
{
	struct nlattr *value[NFTA_DATA_MAX + 1], *tb[NFTA_VERDICT_MAX + 1];

	if (!nft_nested(value, NFTA_DATA_MAX, data) ||
	    !nft_nested(tb, NFTA_VERDICT_MAX, value[NFTA_DATA_VERDICT]) || !tb[NFTA_VERDICT_CODE])
		return false;
	decide(r, (int)ntohl(attr_u32(tb[NFTA_VERDICT_CODE])), tb[NFTA_VERDICT_CHAIN], conditions);
	return true;
}

/* ---- expressions. Each: Return: does it change nothing, so that the next one counts as well? ----
 */

static bool read_immediate(struct nft_reading *r, const struct nlattr *data, bool conditions)
{
	struct nlattr *tb[NFTA_IMMEDIATE_MAX + 1];

	return nft_nested(tb, NFTA_IMMEDIATE_MAX, data) &&
	       !read_verdict(r, tb[NFTA_IMMEDIATE_DATA], conditions);
}

/* In a map whose values are verdicts? In a set it is a condition like others. */
static bool read_lookup(struct nft_reading *r, const struct nlattr *data, bool conditions)
{
	struct nlattr *tb[NFTA_LOOKUP_MAX + 1];

	(void)conditions;
	if (nft_nested(tb, NFTA_LOOKUP_MAX, data) && tb[NFTA_LOOKUP_DREG] &&
	    ntohl(attr_u32(tb[NFTA_LOOKUP_DREG])) == NFT_REG_VERDICT)
		add_lead(r, tb[NFTA_LOOKUP_SET], true);
	return false;
}

static bool read_drop(struct nft_reading *r, const struct nlattr *data, bool conditions)
{
	(void)data;
	decide(r, NF_DROP, NULL, conditions);
	return false;
}

static bool read_queue(struct nft_reading *r, const struct nlattr *data, bool conditions)
{
	(void)data;
	decide(r, NF_QUEUE, NULL, conditions);
	return false;
}

/* What translates ends the chain as an accept does, but of the first packet alone. */
static bool read_translation(struct nft_reading *r, const struct nlattr *data, bool conditions)
{
	(void)data, (void)conditions;
	r->accepts = true;
	return false;
}

static bool read_harmless(struct nft_reading *r, const struct nlattr *data, bool conditions)
{
	(void)r, (void)data, (void)conditions;
	return true;
}

static bool is_among(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, list[i]))
			return true;
	return false;
}

/* Targets of iptables; both they and matches have the name first. */
static bool read_target(struct nft_reading *r, const struct nlattr *data, bool conditions)
{
	static const char *const translations[] = { "DNAT", "MASQUERADE", "NETMAP", "REDIRECT",
						    "SNAT" };
	static const char *const harmless[] = {
		"AUDIT",     "CHECKSUM", "CLASSIFY", "CONNMARK", "CONNSECMARK",
		"CT",        "DSCP",     "ECN",      "HL",       "HMARK",
		"IDLETIMER", "LED",      "LOG",      "MARK",     "NFLOG",
		"NOTRACK",   "RATEEST",  "SECMARK",  "SET",      "TCPOPTSTRIP",
		"TCPMSS",    "TEE",      "TOS",      "TRACE",    "TTL",
	};
	struct nlattr *tb[NFTA_TARGET_MAX + 1];
	char name[32] = "";

	if (nft_nested(tb, NFTA_TARGET_MAX, data))
		nft_text(tb[NFTA_TARGET_NAME], name, sizeof(name));
	if (is_among(name, harmless, ARRAY_SIZE(harmless)))
		return true;
	if (!strcmp(name, "REJECT"))
		return read_drop(r, NULL, conditions);
	if (is_among(name, translations, ARRAY_SIZE(translations)))
		return read_translation(r, NULL, conditions);
	return read_queue(r, NULL, conditions);
}

static bool read_match(struct nft_reading *r, const struct nlattr *data, bool conditions)
{
	struct nlattr *tb[NFTA_MATCH_MAX + 1];
	char name[32];

	(void)r, (void)conditions;
	return nft_nested(tb, NFTA_MATCH_MAX, data) &&
	       nft_text(tb[NFTA_MATCH_NAME], name, sizeof(name)) && !strcmp(name, "comment");
}

/* Of all others: a condition, or what must have one to be of use. */
static bool read_expression(struct nft_reading *r, const struct nlattr *item, bool conditions)
{
	static const struct {
		const char *name;
		bool (*read)(struct nft_reading *r, const struct nlattr *data, bool conditions);
	} rows[] = {
		{ "immediate", read_immediate }, { "lookup", read_lookup },
		{ "reject", read_drop },         { "queue", read_queue },
		{ "synproxy", read_queue },      { "fwd", read_queue },
		{ "nat", read_translation },     { "masq", read_translation },
		{ "redir", read_translation },   { "target", read_target },
		{ "match", read_match },         { "counter", read_harmless },
		{ "log", read_harmless },        { "last", read_harmless },
	};
	struct nlattr *tb[NFTA_EXPR_MAX + 1];
	char name[32];

	if (!nft_nested(tb, NFTA_EXPR_MAX, item) ||
	    !nft_text(tb[NFTA_EXPR_NAME], name, sizeof(name)))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(name, rows[i].name))
			return rows[i].read(r, tb[NFTA_EXPR_DATA], conditions);
	return false;
}

void nft_rule_read(struct nft_reading *r, const struct nlattr *expressions)
{
	bool conditions = false;
	struct nlattr *item;
	int left;

	if (!expressions)
		return;
	nla_for_each_nested (item, expressions, left) {
		if (r->over)
			return;
		if (!read_expression(r, item, conditions))
			conditions = true;
	}
}

void nft_map_read(struct nft_reading *r, const struct nlattr *elements)
{
	struct nlattr *item, *tb[NFTA_SET_ELEM_MAX + 1];
	int left;

	if (!elements)
		return;
	nla_for_each_nested (item, elements, left)
		if (nft_nested(tb, NFTA_SET_ELEM_MAX, item))
			read_verdict(r, tb[NFTA_SET_ELEM_DATA], true);
}

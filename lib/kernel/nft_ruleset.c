/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The constant skeleton: is it there, and when may it go? Raw nfnetlink, no text. */
#include "kernel/nft.h"

#include "kernel/nft_message.h"

#include <errno.h>
#include <string.h>

#define DROP_TRIES 8

/* What the kernel answers about a ruleset. */
struct state {
	uint32_t use[NFT_CHAINS];
	unsigned n;
	struct nft_values values;
};

/* The number of references to a chain: its rules, and the jumps to it. */
static void take_use(struct state *s, const struct nlmsghdr *h)
{
	struct nlattr *tb[NFTA_CHAIN_MAX + 1];

	if (s->n < NFT_CHAINS && nft_attributes(h, tb, NFTA_CHAIN_MAX))
		s->use[s->n++] = ntohl(attr_u32(tb[NFTA_CHAIN_USE]));
}

static bool nested(struct nlattr **tb, int max, struct nlattr *a)
{
	return a && nla_parse_nested(tb, max, a, NULL) == 0;
}

/* The parts of a concatenation are padded to four bytes each. */
static void take_values(struct state *s, const struct nlmsghdr *h)
{
	struct nlattr *tb[NFTA_SET_ELEM_LIST_MAX + 1], *list[NFTA_LIST_MAX + 1],
		*el[NFTA_SET_ELEM_MAX + 1], *value[NFTA_DATA_MAX + 1];
	const unsigned char *bytes;

	if (!nft_attributes(h, tb, NFTA_SET_ELEM_LIST_MAX) ||
	    !nested(list, NFTA_LIST_MAX, tb[NFTA_SET_ELEM_LIST_ELEMENTS]) ||
	    !nested(el, NFTA_SET_ELEM_MAX, list[NFTA_LIST_ELEM]) ||
	    !nested(value, NFTA_DATA_MAX, el[NFTA_SET_ELEM_DATA]) || !value[NFTA_DATA_VALUE] ||
	    nla_len(value[NFTA_DATA_VALUE]) < 4 * NFT_VALUES)
		return;
	bytes = nla_data(value[NFTA_DATA_VALUE]);
	for (unsigned i = 0; i < NFT_VALUES; i++)
		s->values.v[i] = (uint16_t)(bytes[4 * i] << 8 | bytes[4 * i + 1]);
}

static int take_state(void *ctx, const struct nlmsghdr *h)
{
	if ((h->nlmsg_type & 0xff) == NFT_MSG_NEWCHAIN)
		take_use(ctx, h);
	if ((h->nlmsg_type & 0xff) == NFT_MSG_NEWSETELEM)
		take_values(ctx, h);
	return 0;
}

static void ask_chain(struct batch *b, const struct nft_ruleset *r, const char *chain)
{
	struct nl_msg *m = nft_message(NFT_MSG_GETCHAIN, 0, r->family);

	message_put_text(m, NFTA_CHAIN_TABLE, r->table);
	message_put_text(m, NFTA_CHAIN_NAME, chain);
	batch_add(b, m, TOLERATE_NOTHING);
}

static void ask_values(struct batch *b, const struct nft_ruleset *r)
{
	static const uint8_t zero;
	struct nl_msg *m = nft_message(NFT_MSG_GETSETELEM, 0, r->family);
	struct nlattr *list, *item, *key;

	message_put_text(m, NFTA_SET_ELEM_LIST_TABLE, r->table);
	message_put_text(m, NFTA_SET_ELEM_LIST_SET, r->stamp);
	list = message_nest(m, NFTA_SET_ELEM_LIST_ELEMENTS);
	item = message_nest(m, NFTA_LIST_ELEM);
	key = message_nest(m, NFTA_SET_ELEM_KEY);
	message_put(m, NFTA_DATA_VALUE, &zero, sizeof(zero));
	message_nest_end(m, key);
	message_nest_end(m, item);
	message_nest_end(m, list);
	batch_add(b, m, TOLERATE_NOTHING);
}

int nft_ruleset_intact(struct netlink *nl, struct batch *b, const struct nft_ruleset *r,
		       struct nft_values *values, struct err *e)
{
	struct state s = { .n = 0 };
	unsigned n = 0;
	int ret;

	batch_reset(b);
	for (; r->chains[n].name; n++)
		ask_chain(b, r, r->chains[n].name);
	if (r->stamp)
		ask_values(b, r);
	ret = netlink_ask_all(nl, b, take_state, &s, e);
	if (ret < 0)
		return ret == -ENOENT ? 1 : ret;
	for (unsigned i = 0; i < n; i++)
		if (i >= s.n || s.use[i] != r->chains[i].rules)
			return 1;
	if (values)
		*values = s.values;
	return 0;
}

int nft_ruleset_values(struct netlink *nl, struct batch *b, const struct nft_ruleset *r,
		       struct nft_values *ret, struct err *e)
{
	struct state s = { .n = 0 };
	int found;

	batch_reset(b);
	ask_values(b, r);
	found = netlink_ask_all(nl, b, take_state, &s, e);
	*ret = s.values;
	if (found == -ENOENT || (found == 0 && !s.values.v[0]))
		return 1;
	return found;
}

void nft_ruleset_text(const struct nft_ruleset *r, const struct nft_values *values, struct text *t)
{
	const struct nft_values *v = values->v[0] ? values : &r->values;
	const char *from = r->text, *at;

	while (r->stamp && (at = strchr(from, '%'))) {
		text_add(t, "%.*s%u", (int)(at - from), from, v->v[at[1] - '1']);
		from = at + 2;
	}
	text_add(t, "%s", from);
}

void nft_ruleset_values_text(const struct nft_ruleset *r, const struct nft_values *values,
			     struct text *t)
{
	for (unsigned i = 0; i < NFT_VALUES; i++)
		text_add(t, "%s%u", r->keys[i], values->v[i]);
}

int nft_has_table(struct netlink *nl, enum nft_family family, const char *table, struct err *e)
{
	struct nl_msg *m = nft_message(NFT_MSG_GETTABLE, 0, family);
	int r;

	message_put_text(m, NFTA_TABLE_NAME, table);
	r = netlink_ask(nl, m, NULL, NULL, NULL, e);
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

static int take_generation(void *ctx, const struct nlmsghdr *h)
{
	struct nlattr *tb[NFTA_GEN_MAX + 1];

	if ((h->nlmsg_type & 0xff) == NFT_MSG_NEWGEN && nft_attributes(h, tb, NFTA_GEN_MAX))
		*(uint32_t *)ctx = ntohl(attr_u32(tb[NFTA_GEN_ID]));
	return 0;
}

int nft_generation(struct netlink *nl, uint32_t *ret, struct err *e)
{
	*ret = 0;
	return netlink_ask(nl, nft_message(NFT_MSG_GETGEN, 0, NFT_INET), take_generation, NULL, ret,
			   e);
}

/* Return: 0 if no set has a living element, 1 if one has, or -errno. */
static int in_use(struct netlink *nl, const struct nft_ruleset *r, struct err *e)
{
	for (size_t i = 0; r->sets[i]; i++) {
		unsigned n;
		int ret = nft_set_count(nl, r, r->sets[i], &n, e);

		if (ret != 0 || n > 0)
			return ret < 0 ? ret : 1;
	}
	return 0;
}

static int drop_table(struct netlink *nl, struct batch *b, const struct nft_ruleset *r,
		      uint32_t genid, struct err *e)
{
	struct nl_msg *m = nft_message(NFT_MSG_DELTABLE, 0, r->family);
	struct batch_failure failure;

	message_put_text(m, NFTA_TABLE_NAME, r->table);
	batch_reset(b);
	nft_begin_at(b, genid);
	batch_add(b, m, TOLERATE_ABSENT);
	nft_commit(b);
	return batch_send(b, nl, &failure, e);
}

int nft_ruleset_drop_idle(struct netlink *nl, struct batch *b, const struct nft_ruleset *r,
			  struct err *e)
{
	int ret = -ERESTART;

	/* ERESTART: somebody changed the ruleset between our look and our commit. Look again. */
	for (int i = 0; i < DROP_TRIES && ret == -ERESTART; i++) {
		uint32_t genid;

		ret = nft_generation(nl, &genid, e);
		if (ret == 0)
			ret = in_use(nl, r, e);
		if (ret == 0)
			ret = drop_table(nl, b, r, genid, e);
	}
	return ret;
}

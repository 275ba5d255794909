/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which chains of others refuse packets, at one hook? Their base chains there are read, and what
 * their rules jump to. Who drops all packets, or all but some, is told from who may drop some;
 * which packets a rule with conditions means is not known here.
 */
#include "kernel/nft.h"

#include "base/cleanup.h"
#include "kernel/nft_rule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- base chains ---- */

struct chains {
	const struct nft_crossing *at;
	struct nft_refuser *ret;
	size_t max, n;
	bool more;
};

static const char *family_name(uint8_t family)
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_BRIDGE:
		return "bridge";
	case NFPROTO_NETDEV:
		return "netdev";
	default:
		return NULL;
	}
}

/* A name, or since Linux 6.16 the beginning of one (NFTA_DEVICE_PREFIX, which headers may lack). */
static bool is_device(const struct nlattr *a, const char *dev)
{
	char name[64];

	if (!nft_text(a, name, sizeof(name)))
		return false;
	return nla_type(a) == NFTA_DEVICE_NAME ? strcmp(name, dev) == 0
					       : strncmp(name, dev, strlen(name)) == 0;
}

static bool is_on(struct nlattr *const *hook, const char *dev)
{
	struct nlattr *item;
	char name[64];
	int left;

	if (nft_text(hook[NFTA_HOOK_DEV], name, sizeof(name)) && !strcmp(name, dev))
		return true;
	if (!hook[NFTA_HOOK_DEVS])
		return false;
	nla_for_each_nested (item, hook[NFTA_HOOK_DEVS], left)
		if (is_device(item, dev))
			return true;
	return false;
}

/* The hooks of IP and of bridges have the same numbers. */
bool nft_is_at(const struct nft_crossing *at, uint8_t family, const struct nlattr *hook)
{
	struct nlattr *tb[NFTA_HOOK_MAX + 1];
	uint32_t number;

	if (!nft_nested(tb, NFTA_HOOK_MAX, hook) || !tb[NFTA_HOOK_HOOKNUM])
		return false;
	number = ntohl(attr_u32(tb[NFTA_HOOK_HOOKNUM]));
	if (family == NFPROTO_NETDEV)
		return at->dev && number == (at->hook == NFT_EGRESS) && is_on(tb, at->dev);
	if ((family == NFPROTO_BRIDGE) != (at->family == NFT_BRIDGE) || number != at->hook)
		return false;
	if ((family == NFPROTO_IPV4 && at->ip == AF_INET6) ||
	    (family == NFPROTO_IPV6 && at->ip == AF_INET))
		return false;
	return !at->dev || is_on(tb, at->dev);
}

static bool is_own(const struct nft_crossing *at, uint8_t family, const char *table)
{
	return (family == NFPROTO_INET || family == NFPROTO_BRIDGE) &&
	       strcmp(table, at->own_table) == 0;
}

static int take_chain(void *ctx, const struct nlmsghdr *h)
{
	struct nft_refuser r = { .family = 0 };
	struct nlattr *tb[NFTA_CHAIN_MAX + 1];
	struct chains *c = ctx;

	if ((h->nlmsg_type & 0xff) != NFT_MSG_NEWCHAIN || !nft_attributes(h, tb, NFTA_CHAIN_MAX))
		return 0;
	r.family = ((const struct nfgenmsg *)message_data(h))->nfgen_family;
	r.family_name = family_name(r.family);
	if (!r.family_name || !nft_is_at(c->at, r.family, tb[NFTA_CHAIN_HOOK]) ||
	    !nft_text(tb[NFTA_CHAIN_TABLE], r.table, sizeof(r.table)) ||
	    !nft_text(tb[NFTA_CHAIN_NAME], r.chain, sizeof(r.chain)) ||
	    is_own(c->at, r.family, r.table))
		return 0;
	r.by_policy = tb[NFTA_CHAIN_POLICY] && ntohl(attr_u32(tb[NFTA_CHAIN_POLICY])) == NF_DROP;
	c->more |= c->n == c->max;
	if (!c->more)
		c->ret[c->n++] = r;
	return 0;
}

static void no_chains(void *ctx)
{
	((struct chains *)ctx)->n = 0;
	((struct chains *)ctx)->more = false;
}

/* ---- what they do ---- */

static struct nl_msg *question(int type, int flags, uint8_t family)
{
	struct nfgenmsg header = { .nfgen_family = family, .version = NFNETLINK_V0 };

	return message_new(NFNL_SUBSYS_NFTABLES << 8 | type, flags, &header, sizeof(header));
}

static int take_rule(void *ctx, const struct nlmsghdr *h)
{
	struct nlattr *tb[NFTA_RULE_MAX + 1];
	struct nft_reading *reading = ctx;

	if ((h->nlmsg_type & 0xff) == NFT_MSG_NEWRULE && !reading->over &&
	    nft_attributes(h, tb, NFTA_RULE_MAX))
		nft_rule_read(reading, tb[NFTA_RULE_EXPRESSIONS]);
	return 0;
}

static int take_elements(void *ctx, const struct nlmsghdr *h)
{
	struct nlattr *tb[NFTA_SET_ELEM_LIST_MAX + 1];

	if ((h->nlmsg_type & 0xff) == NFT_MSG_NEWSETELEM &&
	    nft_attributes(h, tb, NFTA_SET_ELEM_LIST_MAX))
		nft_map_read(ctx, tb[NFTA_SET_ELEM_LIST_ELEMENTS]);
	return 0;
}

/* What was seen before stays: to think more possible than is, is no harm. */
static void next_chain(void *ctx)
{
	((struct nft_reading *)ctx)->over = false;
	((struct nft_reading *)ctx)->last = NFT_CONTINUE;
}

/* The rules of a chain, or where the elements of a map lead. */
static int read_in(struct netlink *nl, const struct nft_refuser *r, bool map, const char *name,
		   struct nft_reading *reading, struct err *e)
{
	struct nl_msg *m =
		question(map ? NFT_MSG_GETSETELEM : NFT_MSG_GETRULE, NLM_F_DUMP, r->family);
	int ret;

	message_put_text(m, map ? NFTA_SET_ELEM_LIST_TABLE : NFTA_RULE_TABLE, r->table);
	message_put_text(m, map ? NFTA_SET_ELEM_LIST_SET : NFTA_RULE_CHAIN, name);
	ret = netlink_ask(nl, m, map ? take_elements : take_rule, next_chain, reading, e);
	return ret == -ENOENT ? 0 : ret;
}

/* The list grows while it is read; each is in it but once, so it ends. */
static int read_leads(struct netlink *nl, const struct nft_refuser *r, struct nft_reading *reading,
		      struct err *e)
{
	int ret = 0;

	for (unsigned i = 0; i < reading->n_leads && ret == 0; i++)
		ret = read_in(nl, r, reading->leads[i].is_map, reading->leads[i].name, reading, e);
	return ret;
}

static int take_flags(void *ctx, const struct nlmsghdr *h)
{
	struct nlattr *tb[NFTA_TABLE_MAX + 1];

	if ((h->nlmsg_type & 0xff) == NFT_MSG_NEWTABLE && nft_attributes(h, tb, NFTA_TABLE_MAX))
		*(uint32_t *)ctx = ntohl(attr_u32(tb[NFTA_TABLE_FLAGS]));
	return 0;
}

/* Chains of a table that sleeps are at no hook. Return: 1 if it is awake, 0, or a negative errno.
 */
static int is_awake(struct netlink *nl, const struct nft_refuser *r, struct err *e)
{
	struct nl_msg *m = question(NFT_MSG_GETTABLE, 0, r->family);
	uint32_t flags = 0;
	int ret;

	message_put_text(m, NFTA_TABLE_NAME, r->table);
	ret = netlink_ask(nl, m, take_flags, NULL, &flags, e);
	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	return !(flags & NFT_TABLE_F_DORMANT);
}

/* What becomes of packets that no rule with conditions has decided about. */
static void judge_rest(struct nft_refuser *r, struct nft_reading *reading)
{
	bool policy = !reading->over || reading->last == NFT_RETURN;

	if (!reading->over || reading->returns) {
		reading->drops |= r->by_policy;
		reading->accepts |= !r->by_policy;
	}
	r->by_policy &= policy;
	r->rest = r->by_policy || reading->last == NF_DROP;
}

/* Return: 1 if @r refuses as it was asked for, 0 if not, or a negative errno. */
static int refuses(struct netlink *nl, const struct nft_crossing *at, struct nft_refuser *r,
		   struct err *e)
{
	cleanup_free struct nft_lead *leads = at->some ? calloc(NFT_LEADS_MAX, sizeof(*leads))
						       : NULL;
	struct nft_reading reading = { .last = NFT_CONTINUE, .leads = leads };
	int ret;

	if (at->some && !leads)
		return err_sys(e, ERR_KERNEL, ENOMEM, "cannot read the chain %s", r->chain);
	ret = read_in(nl, r, false, r->chain, &reading, e);
	if (ret < 0)
		return ret;
	judge_rest(r, &reading);
	ret = read_leads(nl, r, &reading, e);
	if (ret < 0)
		return ret;
	r->accepts = reading.accepts;
	return r->rest || (at->some && reading.drops) ? is_awake(nl, r, e) : 0;
}

int nft_refusers(struct netlink *nl, const struct nft_crossing *at, struct nft_refuser *ret,
		 size_t max, struct err *e)
{
	struct chains c = { .at = at, .ret = ret, .max = max };
	int n = 0, r = netlink_ask(nl, question(NFT_MSG_GETCHAIN, NLM_F_DUMP, NFPROTO_UNSPEC),
				   take_chain, no_chains, &c, e);

	if (r == 0 && c.more)
		return err_set(e, ERR_KERNEL, E2BIG,
			       "more than %zu nftables chains at one hook: they are not read", max);
	for (size_t i = 0; i < c.n && r >= 0; i++) {
		r = refuses(nl, at, &ret[i], e);
		if (r == 1)
			ret[n++] = ret[i];
	}
	return r < 0 ? r : n;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which chains of others refuse what is forwarded? Read from their base chains at the hook forward:
 * the policy, unless a rule without conditions decides before it. What a rule with conditions lets
 * pass is not known here.
 */
#include "kernel/nft.h"

#include "kernel/nft_message.h"

#include <errno.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <stdio.h>
#include <string.h>

struct chains {
	const char *own_table;
	struct nft_refuser *ret;
	size_t max, n;
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
	default:
		return NULL;
	}
}

static bool at_forward(const struct nlattr *hook)
{
	struct nlattr *tb[NFTA_HOOK_MAX + 1];

	return hook &&
	       nla_parse_nested(tb, NFTA_HOOK_MAX, (struct nlattr *)(uintptr_t)hook, NULL) == 0 &&
	       tb[NFTA_HOOK_HOOKNUM] && ntohl(attr_u32(tb[NFTA_HOOK_HOOKNUM])) == NF_INET_FORWARD;
}

static int take_chain(void *ctx, const struct nlmsghdr *h)
{
	const struct nfgenmsg *header = message_data(h);
	struct nlattr *tb[NFTA_CHAIN_MAX + 1];
	struct chains *c = ctx;
	struct nft_refuser *r;

	if ((h->nlmsg_type & 0xff) != NFT_MSG_NEWCHAIN || !nft_attributes(h, tb, NFTA_CHAIN_MAX) ||
	    !family_name(header->nfgen_family) || !at_forward(tb[NFTA_CHAIN_HOOK]) ||
	    !tb[NFTA_CHAIN_TABLE] || !tb[NFTA_CHAIN_NAME] || c->n == c->max ||
	    strcmp(nla_get_string(tb[NFTA_CHAIN_TABLE]), c->own_table) == 0)
		return 0;
	r = &c->ret[c->n++];
	r->family = header->nfgen_family;
	r->family_name = family_name(r->family);
	r->by_policy = tb[NFTA_CHAIN_POLICY] && ntohl(attr_u32(tb[NFTA_CHAIN_POLICY])) == NF_DROP;
	snprintf(r->table, sizeof(r->table), "%s", nla_get_string(tb[NFTA_CHAIN_TABLE]));
	snprintf(r->chain, sizeof(r->chain), "%s", nla_get_string(tb[NFTA_CHAIN_NAME]));
	return 0;
}

static void no_chains(void *ctx)
{
	((struct chains *)ctx)->n = 0;
}

/* ---- what one rule says of all packets: a verdict, or NFT_CONTINUE ---- */

static int immediate(const struct nlattr *data)
{
	struct nlattr *tb[NFTA_IMMEDIATE_MAX + 1], *value[NFTA_DATA_MAX + 1],
		*verdict[NFTA_VERDICT_MAX + 1];
	int code;

	if (nla_parse_nested(tb, NFTA_IMMEDIATE_MAX, (struct nlattr *)(uintptr_t)data, NULL) < 0 ||
	    !tb[NFTA_IMMEDIATE_DATA] ||
	    nla_parse_nested(value, NFTA_DATA_MAX, tb[NFTA_IMMEDIATE_DATA], NULL) < 0 ||
	    !value[NFTA_DATA_VERDICT] ||
	    nla_parse_nested(verdict, NFTA_VERDICT_MAX, value[NFTA_DATA_VERDICT], NULL) < 0)
		return NFT_CONTINUE;
	code = (int)ntohl(attr_u32(verdict[NFTA_VERDICT_CODE]));
	return code == NFT_JUMP ? NFT_CONTINUE : code; /* what jumps comes back */
}

/* A target or match of iptables. Both have the name first. */
static bool is_called(const struct nlattr *data, const char *name)
{
	struct nlattr *tb[NFTA_TARGET_MAX + 1];

	return data &&
	       nla_parse_nested(tb, NFTA_TARGET_MAX, (struct nlattr *)(uintptr_t)data, NULL) == 0 &&
	       tb[NFTA_TARGET_NAME] && strcmp(nla_get_string(tb[NFTA_TARGET_NAME]), name) == 0;
}

/* One expression of a rule. Return: does it change nothing, so that the next one counts? */
static bool passes_on(const struct nlattr *item, int *verdict)
{
	struct nlattr *tb[NFTA_EXPR_MAX + 1];
	const char *name;

	if (nla_parse_nested(tb, NFTA_EXPR_MAX, (struct nlattr *)(uintptr_t)item, NULL) < 0 ||
	    !tb[NFTA_EXPR_NAME])
		return false;
	name = nla_get_string(tb[NFTA_EXPR_NAME]);
	if (strcmp(name, "immediate") == 0 && tb[NFTA_EXPR_DATA])
		*verdict = immediate(tb[NFTA_EXPR_DATA]);
	else if (strcmp(name, "reject") == 0 ||
		 (strcmp(name, "target") == 0 && is_called(tb[NFTA_EXPR_DATA], "REJECT")))
		*verdict = NF_DROP;
	return strcmp(name, "counter") == 0 || strcmp(name, "log") == 0 ||
	       (strcmp(name, "match") == 0 && is_called(tb[NFTA_EXPR_DATA], "comment"));
}

struct reading {
	int verdict;
	bool conditions; /* some rule said nothing of all packets */
};

static int take_rule(void *ctx, const struct nlmsghdr *h)
{
	struct nlattr *tb[NFTA_RULE_MAX + 1], *item;
	struct reading *reading = ctx;
	int left;

	if ((h->nlmsg_type & 0xff) != NFT_MSG_NEWRULE || reading->verdict != NFT_CONTINUE ||
	    !nft_attributes(h, tb, NFTA_RULE_MAX) || !tb[NFTA_RULE_EXPRESSIONS])
		return 0;
	nla_for_each_nested (item, tb[NFTA_RULE_EXPRESSIONS], left)
		if (!passes_on(item, &reading->verdict))
			break;
	reading->conditions |= reading->verdict == NFT_CONTINUE;
	return 0;
}

static void no_verdict(void *ctx)
{
	*(struct reading *)ctx = (struct reading){ .verdict = NFT_CONTINUE };
}

/* ---- */

static struct nl_msg *question(int type, uint8_t family)
{
	struct nfgenmsg header = { .nfgen_family = family, .version = NFNETLINK_V0 };

	return message_new(NFNL_SUBSYS_NFTABLES << 8 | type, NLM_F_DUMP, &header, sizeof(header));
}

/* Return: 1 if nothing passes @r but by a rule with conditions, 0 if not, or a negative errno. */
static int refuses(struct netlink *nl, struct nft_refuser *r, struct err *e)
{
	struct nl_msg *m = question(NFT_MSG_GETRULE, r->family);
	struct reading reading;
	int verdict, ret;

	message_put_text(m, NFTA_RULE_TABLE, r->table);
	message_put_text(m, NFTA_RULE_CHAIN, r->chain);
	ret = netlink_ask(nl, m, take_rule, no_verdict, &reading, e);
	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	verdict = reading.verdict;
	r->conditions = reading.conditions;
	if (verdict == NFT_CONTINUE || verdict == NFT_RETURN)
		return r->by_policy;
	r->by_policy = false;
	return verdict == NF_DROP;
}

int nft_forward_refusers(struct netlink *nl, const char *own_table, struct nft_refuser *ret,
			 size_t max, size_t *ret_n, struct err *e)
{
	struct chains c = { own_table, ret, max, 0 };
	int r = netlink_ask(nl, question(NFT_MSG_GETCHAIN, NFPROTO_UNSPEC), take_chain, no_chains,
			    &c, e);

	*ret_n = 0;
	for (size_t i = 0; i < c.n && r >= 0; i++) {
		r = refuses(nl, &ret[i], e);
		if (r == 1)
			ret[(*ret_n)++] = ret[i];
	}
	return r < 0 ? r : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The constant skeleton: is it there, and when may it go? Raw nfnetlink, no text. */
#include "kernel/nft.h"

#include "kernel/nft_message.h"

#include <errno.h>
#include <string.h>

#define DROP_TRIES 8

static int take_use(void *ctx, const struct nlmsghdr *h)
{
	struct nlattr *tb[NFTA_CHAIN_MAX + 1];

	if ((h->nlmsg_type & 0xff) == NFT_MSG_NEWCHAIN && nft_attributes(h, tb, NFTA_CHAIN_MAX))
		*(uint32_t *)ctx = ntohl(attr_u32(tb[NFTA_CHAIN_USE]));
	return 0;
}

/* The number of references to a chain: its rules, and the jumps to it. */
static int chain_use(struct netlink *nl, const struct nft_ruleset *r, const char *chain,
		     uint32_t *ret, struct err *e)
{
	struct nl_msg *m = nft_message(NFT_MSG_GETCHAIN, 0, r->family);

	message_put_text(m, NFTA_CHAIN_TABLE, r->table);
	message_put_text(m, NFTA_CHAIN_NAME, chain);
	return netlink_ask(nl, m, take_use, NULL, ret, e);
}

int nft_ruleset_intact(struct netlink *nl, const struct nft_ruleset *r, struct err *e)
{
	for (size_t i = 0; r->chains[i].name; i++) {
		uint32_t use = 0;
		int ret = chain_use(nl, r, r->chains[i].name, &use, e);

		if (ret == -ENOENT || (ret == 0 && use != r->chains[i].rules))
			return 1;
		if (ret < 0)
			return ret;
	}
	return 0;
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

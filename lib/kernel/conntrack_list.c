/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dumps for who looks, not for the way of a verb. */
#include "kernel/conntrack_list.h"

#include "kernel/nft_message.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <sys/socket.h>

static bool nested(struct nlattr **tb, int max, const struct nlattr *a)
{
	return a && nla_parse_nested(tb, max, (struct nlattr *)(uintptr_t)a, NULL) == 0;
}

/* ---- flows ---- */

struct walk {
	conntrack_fn *fn;
	void *ctx;
	bool seen; /* something is tracked */
};

static bool has_ended(const struct nlattr *info)
{
	struct nlattr *tb[CTA_PROTOINFO_MAX + 1], *tcp[CTA_PROTOINFO_TCP_MAX + 1];

	if (!nested(tb, CTA_PROTOINFO_MAX, info) ||
	    !nested(tcp, CTA_PROTOINFO_TCP_MAX, tb[CTA_PROTOINFO_TCP]) ||
	    !tcp[CTA_PROTOINFO_TCP_STATE])
		return false;
	return nla_get_u8(tcp[CTA_PROTOINFO_TCP_STATE]) >= TCP_CONNTRACK_TIME_WAIT;
}

static int take_flow(void *ctx, const struct nlmsghdr *h)
{
	const struct nfgenmsg *header = message_data(h);
	struct nlattr *tb[CTA_MAX + 1], *tuple[CTA_TUPLE_MAX + 1], *ip[CTA_IP_MAX + 1];
	bool v4 = header->nfgen_family == AF_INET;
	struct conntrack_flow flow;
	struct walk *w = ctx;

	w->seen = true;
	if (h->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW) ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, sizeof(*header), tb, CTA_MAX, NULL) < 0 ||
	    !nested(tuple, CTA_TUPLE_MAX, tb[CTA_TUPLE_ORIG]) ||
	    !nested(ip, CTA_IP_MAX, tuple[CTA_TUPLE_IP]))
		return 0;
	flow.src = attr_ip(ip[v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC], header->nfgen_family);
	flow.dst = attr_ip(ip[v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST], header->nfgen_family);
	flow.ended = has_ended(tb[CTA_PROTOINFO]);
	return w->fn(w->ctx, &flow);
}

int conntrack_each(struct netlink *nl, conntrack_fn *fn, void *ctx, struct err *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct walk w = { fn, ctx, false };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(families) && r == 0; i++) {
		struct nfgenmsg header = { .nfgen_family = families[i], .version = NFNETLINK_V0 };

		r = netlink_ask(nl,
				message_new(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
					    NLM_F_DUMP, &header, sizeof(header)),
				take_flow, NULL, &w, e);
		/* nfnetlink says EINVAL where the kernel has no connection tracking. */
		if (!w.seen && (r == -EINVAL || r == -ENOENT || r == -EOPNOTSUPP))
			r = 0;
	}
	return r;
}

/* ---- counters of elements ---- */

struct counters {
	nft_counter_fn *fn;
	void *ctx;
};

/* Return: has the element a counter? */
static bool read_counter(const struct nlattr *expr, uint64_t *ret)
{
	struct nlattr *tb[NFTA_EXPR_MAX + 1], *counter[NFTA_COUNTER_MAX + 1];

	if (!nested(tb, NFTA_EXPR_MAX, expr) || !tb[NFTA_EXPR_NAME] ||
	    nla_strcmp(tb[NFTA_EXPR_NAME], "counter") != 0 ||
	    !nested(counter, NFTA_COUNTER_MAX, tb[NFTA_EXPR_DATA]) ||
	    !counter[NFTA_COUNTER_PACKETS] ||
	    nla_len(counter[NFTA_COUNTER_PACKETS]) < (int)sizeof(*ret))
		return false;
	memcpy(ret, nla_data(counter[NFTA_COUNTER_PACKETS]), sizeof(*ret));
	*ret = be64toh(*ret);
	return true;
}

static int take_counters(void *ctx, const struct nlmsghdr *h)
{
	struct nlattr *tb[NFTA_SET_ELEM_LIST_MAX + 1], *el[NFTA_SET_ELEM_MAX + 1],
		*key[NFTA_DATA_MAX + 1], *item;
	const struct counters *c = ctx;
	uint64_t packets;
	int left, r = 0;

	if ((h->nlmsg_type & 0xff) != NFT_MSG_NEWSETELEM ||
	    !nft_attributes(h, tb, NFTA_SET_ELEM_LIST_MAX) || !tb[NFTA_SET_ELEM_LIST_ELEMENTS])
		return 0;
	nla_for_each_nested (item, tb[NFTA_SET_ELEM_LIST_ELEMENTS], left) {
		if (r < 0 || !nested(el, NFTA_SET_ELEM_MAX, item) ||
		    !nested(key, NFTA_DATA_MAX, el[NFTA_SET_ELEM_KEY]) || !key[NFTA_DATA_VALUE] ||
		    !read_counter(el[NFTA_SET_ELEM_EXPR], &packets))
			continue;
		r = c->fn(c->ctx, nla_data(key[NFTA_DATA_VALUE]),
			  (size_t)nla_len(key[NFTA_DATA_VALUE]), packets);
	}
	return r;
}

int nft_counters(struct netlink *nl, const char *table, const char *set, nft_counter_fn *fn,
		 void *ctx, struct err *e)
{
	struct nl_msg *m = nft_message(NFT_MSG_GETSETELEM, NLM_F_DUMP, NFT_INET);
	struct counters c = { fn, ctx };
	int r;

	message_put_text(m, NFTA_SET_ELEM_LIST_TABLE, table);
	message_put_text(m, NFTA_SET_ELEM_LIST_SET, set);
	r = netlink_ask(nl, m, take_counters, NULL, &c, e);
	return r == -ENOENT ? 0 : r;
}

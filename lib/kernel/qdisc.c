/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests about traffic control. Handles are ours (root 1:, ingress ffff:, filter priority 1), so
 * that nothing need be looked up and the printed commands give the same.
 */
#include "kernel/qdisc.h"

#include "kernel/message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>

#define ROOT_HANDLE     0x00010000U /* 1: */
#define INGRESS_HANDLE  0xffff0000U /* ffff: */
#define FILTER_PRIORITY 1U

static struct nl_msg *tc_message(int type, int flags, uint32_t ifindex, uint32_t parent,
				 uint32_t handle)
{
	struct tcmsg header = { .tcm_family = AF_UNSPEC,
				.tcm_ifindex = (int)ifindex,
				.tcm_parent = parent,
				.tcm_handle = handle };

	if (type == RTM_NEWTFILTER)
		header.tcm_info = FILTER_PRIORITY << 16 | htons(ETH_P_ALL);
	return message_new(type, flags, &header, sizeof(header));
}

uint64_t qdisc_tbf_limit(uint64_t rate, uint64_t burst)
{
	unsigned __int128 waiting = (unsigned __int128)(rate / 8) * QDISC_LATENCY_MS / 1000;
	unsigned __int128 sum = waiting + burst / 8;

	return sum > UINT64_MAX ? UINT64_MAX : (uint64_t)sum;
}

static uint32_t clamp_u32(uint64_t n)
{
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* tc counts a burst as a time, in 32 bits of 64 ns. */
#define BURST_SECONDS 274
#define FRAME_MAX     65536

uint32_t qdisc_tbf_burst(uint64_t rate, uint64_t burst)
{
	unsigned __int128 most = (unsigned __int128)(rate / 8) * BURST_SECONDS;

	if (most < FRAME_MAX)
		most = FRAME_MAX;
	return clamp_u32(burst / 8 < most ? burst / 8 : (uint64_t)most);
}

void qdisc_add_tbf(struct batch *b, uint32_t ifindex, uint64_t rate, uint64_t burst)
{
	struct nl_msg *m = tc_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex, TC_H_ROOT,
				      ROOT_HANDLE);
	uint64_t bytes = rate / 8;
	/* With a link layer the kernel reckons by itself and wants no table of times. */
	struct tc_tbf_qopt q = {
		.rate = { .linklayer = TC_LINKLAYER_ETHERNET, .rate = clamp_u32(bytes) },
		.limit = clamp_u32(qdisc_tbf_limit(rate, burst)),
	};
	struct nlattr *options;

	message_put_text(m, TCA_KIND, "tbf");
	options = message_nest(m, TCA_OPTIONS);
	message_put(m, TCA_TBF_PARMS, &q, sizeof(q));
	/* In bytes: the older field counts the time it takes, and ends at 4 seconds. */
	message_put_u32(m, TCA_TBF_BURST, qdisc_tbf_burst(rate, burst));
	if (bytes > UINT32_MAX)
		message_put(m, TCA_TBF_RATE64, &bytes, sizeof(bytes));
	message_nest_end(m, options);
	batch_add(b, m, TOLERATE_NOTHING);
}

void qdisc_add_ingress(struct batch *b, uint32_t ifindex)
{
	struct nl_msg *m = tc_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex,
				      TC_H_INGRESS, INGRESS_HANDLE);

	message_put_text(m, TCA_KIND, "ingress");
	batch_add(b, m, TOLERATE_NOTHING);
}

void qdisc_del(struct batch *b, uint32_t ifindex, bool ingress)
{
	uint32_t parent = ingress ? TC_H_INGRESS : TC_H_ROOT;

	batch_add(b, tc_message(RTM_DELQDISC, 0, ifindex, parent, 0), TOLERATE_ABSENT);
}

static void put_mirred(struct nl_msg *m, uint32_t to_ifindex)
{
	struct tc_mirred to = { .action = TC_ACT_STOLEN,
				.eaction = TCA_EGRESS_REDIR,
				.ifindex = to_ifindex };
	struct nlattr *actions = message_nest(m, TCA_U32_ACT);
	struct nlattr *first = message_nest(m, 1), *options;

	message_put_text(m, TCA_ACT_KIND, "mirred");
	options = message_nest(m, TCA_ACT_OPTIONS);
	message_put(m, TCA_MIRRED_PARMS, &to, sizeof(to));
	message_nest_end(m, options);
	message_nest_end(m, first);
	message_nest_end(m, actions);
}

/* u32, because some kernels lack matchall: a key without a mask matches everything. */
void redirect_add(struct batch *b, uint32_t ifindex, uint32_t to_ifindex)
{
	struct nl_msg *m =
		tc_message(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, ifindex, INGRESS_HANDLE, 0);
	struct tc_u32_sel sel = { .flags = TC_U32_TERMINAL, .nkeys = 1 };
	unsigned char match[sizeof(sel) + sizeof(struct tc_u32_key)] = { 0 };
	struct nlattr *options;

	memcpy(match, &sel, sizeof(sel));
	message_put_text(m, TCA_KIND, "u32");
	options = message_nest(m, TCA_OPTIONS);
	message_put(m, TCA_U32_SEL, match, sizeof(match));
	put_mirred(m, to_ifindex);
	message_nest_end(m, options);
	batch_add(b, m, TOLERATE_NOTHING);
}

void filter_add_bpf(struct batch *b, uint32_t ifindex, int fd, const char *name)
{
	struct nl_msg *m =
		tc_message(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, ifindex, INGRESS_HANDLE, 0);
	struct nlattr *options;

	message_put_text(m, TCA_KIND, "bpf");
	options = message_nest(m, TCA_OPTIONS);
	message_put_u32(m, TCA_BPF_FD, (uint32_t)fd);
	message_put_text(m, TCA_BPF_NAME, name);
	message_put_u32(m, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	message_nest_end(m, options);
	batch_add(b, m, TOLERATE_NOTHING);
}

void link_add_ifb(struct batch *b, const struct link_end *end)
{
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = (int)end->ifindex };
	struct nl_msg *m =
		message_new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
	struct nlattr *info;

	message_put_text(m, IFLA_IFNAME, end->name);
	if (mac_is_set(&end->mac))
		message_put(m, IFLA_ADDRESS, end->mac.b, sizeof(end->mac.b));
	message_put_u32(m, IFLA_NUM_TX_QUEUES, 1);
	message_put_u32(m, IFLA_NUM_RX_QUEUES, 1);
	info = message_nest(m, IFLA_LINKINFO);
	message_put_text(m, IFLA_INFO_KIND, "ifb");
	message_nest_end(m, info);
	batch_add(b, m, TOLERATE_NOTHING);
}

/* ---- queries ---- */

struct tc_search {
	const char *kind;
	uint64_t rate;  /* bytes per second */
	uint32_t limit; /* tells the burst too: the kernel gives the burst back rounded */
	uint32_t to_ifindex;
	const uint8_t *tag;
	bool found;
};

static void tc_search_begin(void *ctx)
{
	((struct tc_search *)ctx)->found = false;
}

/* The options of a qdisc or a filter of the wanted kind, else NULL. */
static struct nlattr *tc_options(const struct nlmsghdr *h, const char *kind)
{
	struct nlmsghdr *m = (struct nlmsghdr *)(uintptr_t)h;
	struct nlattr *tb[TCA_MAX + 1];

	if (nlmsg_parse(m, sizeof(struct tcmsg), tb, TCA_MAX, NULL) < 0 || !tb[TCA_KIND] ||
	    nla_strcmp(tb[TCA_KIND], kind) != 0)
		return NULL;
	return tb[TCA_OPTIONS] ? tb[TCA_OPTIONS] : tb[TCA_KIND];
}

static bool same_tbf(const struct tc_search *s, struct nlattr *options)
{
	struct nlattr *tb[TCA_TBF_MAX + 1];
	struct tc_tbf_qopt q;
	uint64_t rate;

	if (nla_parse_nested(tb, TCA_TBF_MAX, options, NULL) < 0 || !tb[TCA_TBF_PARMS] ||
	    nla_len(tb[TCA_TBF_PARMS]) < (int)sizeof(q))
		return false;
	memcpy(&q, nla_data(tb[TCA_TBF_PARMS]), sizeof(q));
	rate = tb[TCA_TBF_RATE64] ? nla_get_u64(tb[TCA_TBF_RATE64]) : q.rate.rate;
	return rate == s->rate && q.limit == s->limit;
}

static int match_qdisc(void *ctx, const struct nlmsghdr *h)
{
	struct tc_search *s = ctx;
	struct nlattr *options = h->nlmsg_type == RTM_NEWQDISC ? tc_options(h, s->kind) : NULL;

	s->found |= options && (!s->rate || same_tbf(s, options));
	return 0;
}

/* One qdisc is asked for by itself: a dump has those of all links. Older kernels only echo. */
static int qdisc_search(struct netlink *nl, uint32_t ifindex, uint32_t parent, struct tc_search *s,
			struct err *e)
{
	int r = netlink_ask(nl, tc_message(RTM_GETQDISC, NLM_F_ECHO, ifindex, parent, 0),
			    match_qdisc, tc_search_begin, s, e);

	/* EINVAL: there is only the kernel's own default, which it does not show. */
	if (r == -ENOENT || r == -ENODEV || r == -EINVAL)
		return 1;
	return r < 0 ? r : !s->found;
}

int qdisc_find_tbf(struct netlink *nl, uint32_t ifindex, uint64_t rate, uint64_t burst,
		   struct err *e)
{
	struct tc_search s = { .kind = "tbf",
			       .rate = rate / 8,
			       .limit = clamp_u32(qdisc_tbf_limit(rate, burst)) };

	return qdisc_search(nl, ifindex, TC_H_ROOT, &s, e);
}

int qdisc_find_ingress(struct netlink *nl, uint32_t ifindex, struct err *e)
{
	struct tc_search s = { .kind = "ingress" };

	return qdisc_search(nl, ifindex, TC_H_INGRESS, &s, e);
}

static bool matches_all(const struct nlattr *a)
{
	struct tc_u32_sel sel;
	struct tc_u32_key first;

	if (!a || nla_len(a) < (int)(sizeof(sel) + sizeof(first)))
		return false;
	memcpy(&sel, nla_data(a), sizeof(sel));
	memcpy(&first, (const char *)nla_data(a) + sizeof(sel), sizeof(first));
	return sel.nkeys == 1 && first.mask == 0;
}

/* Return: where the first of @actions redirects to, 0: nowhere. */
static uint32_t redirected_to(struct nlattr *actions)
{
	struct nlattr *list[2], *action[TCA_ACT_MAX + 1], *tb[TCA_MIRRED_MAX + 1];
	struct tc_mirred to;

	if (nla_parse_nested(list, 1, actions, NULL) < 0 || !list[1] ||
	    nla_parse_nested(action, TCA_ACT_MAX, list[1], NULL) < 0 || !action[TCA_ACT_KIND] ||
	    nla_strcmp(action[TCA_ACT_KIND], "mirred") != 0 || !action[TCA_ACT_OPTIONS] ||
	    nla_parse_nested(tb, TCA_MIRRED_MAX, action[TCA_ACT_OPTIONS], NULL) < 0 ||
	    !tb[TCA_MIRRED_PARMS] || nla_len(tb[TCA_MIRRED_PARMS]) < (int)sizeof(to))
		return 0;
	memcpy(&to, nla_data(tb[TCA_MIRRED_PARMS]), sizeof(to));
	return to.eaction == TCA_EGRESS_REDIR ? to.ifindex : 0;
}

static int match_redirect(void *ctx, const struct nlmsghdr *h)
{
	struct tc_search *s = ctx;
	struct nlattr *options = h->nlmsg_type == RTM_NEWTFILTER ? tc_options(h, s->kind) : NULL;
	struct nlattr *tb[TCA_U32_MAX + 1];

	if (options && nla_parse_nested(tb, TCA_U32_MAX, options, NULL) == 0 && tb[TCA_U32_ACT] &&
	    matches_all(tb[TCA_U32_SEL]))
		s->found |= redirected_to(tb[TCA_U32_ACT]) == s->to_ifindex;
	return 0;
}

/* Some filter at the ingress hook of @ifindex that @match finds. */
static int filter_search(struct netlink *nl, uint32_t ifindex, netlink_reply_fn *match,
			 struct tc_search *s, struct err *e)
{
	int r = netlink_ask(nl, tc_message(RTM_GETTFILTER, NLM_F_DUMP, ifindex, INGRESS_HANDLE, 0),
			    match, tc_search_begin, s, e);

	if (r == -ENOENT || r == -ENODEV || r == -EINVAL)
		return 1;
	return r < 0 ? r : !s->found;
}

int redirect_find(struct netlink *nl, uint32_t ifindex, uint32_t to_ifindex, struct err *e)
{
	struct tc_search s = { .kind = "u32", .to_ifindex = to_ifindex };

	return filter_search(nl, ifindex, match_redirect, &s, e);
}

static int match_bpf(void *ctx, const struct nlmsghdr *h)
{
	struct tc_search *s = ctx;
	struct nlattr *options = h->nlmsg_type == RTM_NEWTFILTER ? tc_options(h, s->kind) : NULL;
	struct nlattr *tb[TCA_BPF_MAX + 1];

	if (options && nla_parse_nested(tb, TCA_BPF_MAX, options, NULL) == 0 && tb[TCA_BPF_TAG] &&
	    nla_len(tb[TCA_BPF_TAG]) == BPF_TAG_SIZE)
		s->found |= (attr_u32(tb[TCA_BPF_FLAGS]) & TCA_BPF_FLAG_ACT_DIRECT) &&
			    memcmp(nla_data(tb[TCA_BPF_TAG]), s->tag, BPF_TAG_SIZE) == 0;
	return 0;
}

int filter_find_bpf(struct netlink *nl, uint32_t ifindex, const uint8_t tag[static 8],
		    struct err *e)
{
	struct tc_search s = { .kind = "bpf", .tag = tag };

	return filter_search(nl, ifindex, match_bpf, &s, e);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policy routing rules: requests and the question whether one is there. */
#include "kernel/rule.h"

#include "base/text.h"
#include "kernel/message.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

static const uint8_t kernel_actions[] = { [RULE_LOOKUP] = FR_ACT_TO_TBL,
					  [RULE_GOTO] = FR_ACT_GOTO,
					  [RULE_NOP] = FR_ACT_NOP,
					  [RULE_UNREACHABLE] = FR_ACT_UNREACHABLE };

static struct nl_msg *rule_message(int type, int flags, const struct rule_spec *r)
{
	struct fib_rule_hdr header = { .family = r->family,
				       .src_len = r->from.len,
				       .dst_len = r->to.len,
				       .table = r->table < 256 ? (uint8_t)r->table
							       : RT_TABLE_UNSPEC,
				       .action = kernel_actions[r->action] };
	struct nl_msg *m = message_new(type, flags, &header, sizeof(header));

	message_put_u32(m, FRA_PRIORITY, r->priority);
	message_put_u8(m, FRA_PROTOCOL, RULE_PROTOCOL);
	message_put_ip(m, FRA_SRC, &r->from.ip);
	message_put_ip(m, FRA_DST, &r->to.ip);
	if (r->iif)
		message_put_text(m, FRA_IIFNAME, r->iif);
	if (r->mask) {
		message_put_u32(m, FRA_FWMARK, r->mark);
		message_put_u32(m, FRA_FWMASK, r->mask);
	}
	if (r->action == RULE_LOOKUP)
		message_put_u32(m, FRA_TABLE, r->table);
	if (r->action == RULE_GOTO)
		message_put_u32(m, FRA_GOTO, r->target);
	return m;
}

void rule_add(struct batch *b, const struct rule_spec *r, uint32_t tolerate)
{
	batch_add(b, rule_message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, r), tolerate);
}

void rule_del(struct batch *b, const struct rule_spec *r, uint32_t tolerate)
{
	batch_add(b, rule_message(RTM_DELRULE, 0, r), tolerate);
}

struct search {
	const struct rule_spec *rule;
	bool found;
};

static void search_begin(void *ctx)
{
	((struct search *)ctx)->found = false;
}

static bool same_net(const struct nlattr *a, uint8_t len, uint8_t family, const struct cidr *want)
{
	struct ip ip = attr_ip(a, family), first = cidr_first(want);

	if (!ip_is_set(&want->ip))
		return !a && !len;
	return len == want->len && (!len || ip_equal(&ip, &first));
}

/* Selectors that struct rule_spec does not know: a rule that has one matches fewer packets. */
static bool selects_more(const struct fib_rule_hdr *h, struct nlattr **tb)
{
	static const int others[] = { FRA_OIFNAME,     FRA_UID_RANGE,   FRA_IP_PROTO,
				      FRA_SPORT_RANGE, FRA_DPORT_RANGE, FRA_TUN_ID };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (tb[others[i]])
			return true;
	return (h->flags & FIB_RULE_INVERT) || h->tos ||
	       (tb[FRA_L3MDEV] && nla_get_u8(tb[FRA_L3MDEV]));
}

static bool same_iif(const struct nlattr *a, const char *want)
{
	return want ? a && nla_strcmp(a, want) == 0 : !a;
}

static bool same_action(const struct fib_rule_hdr *h, struct nlattr **tb,
			const struct rule_spec *want)
{
	if (h->action != kernel_actions[want->action])
		return false;
	if (tb[FRA_SUPPRESS_PREFIXLEN] && attr_u32(tb[FRA_SUPPRESS_PREFIXLEN]) != UINT32_MAX)
		return false;
	if (want->action == RULE_LOOKUP)
		return (tb[FRA_TABLE] ? attr_u32(tb[FRA_TABLE]) : h->table) == want->table;
	return want->action != RULE_GOTO || attr_u32(tb[FRA_GOTO]) == want->target;
}

static int match(void *ctx, const struct nlmsghdr *m)
{
	struct search *s = ctx;
	const struct rule_spec *want = s->rule;
	const struct fib_rule_hdr *h = message_data(m);
	struct nlattr *tb[FRA_MAX + 1];

	if (m->nlmsg_type != RTM_NEWRULE ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)m, sizeof(*h), tb, FRA_MAX, NULL) < 0)
		return 0;
	s->found |= h->family == want->family && attr_u32(tb[FRA_PRIORITY]) == want->priority &&
		    same_net(tb[FRA_SRC], h->src_len, h->family, &want->from) &&
		    same_net(tb[FRA_DST], h->dst_len, h->family, &want->to) &&
		    same_iif(tb[FRA_IIFNAME], want->iif) &&
		    attr_u32(tb[FRA_FWMARK]) == want->mark &&
		    attr_u32(tb[FRA_FWMASK]) == want->mask && !selects_more(h, tb) &&
		    same_action(h, tb, want);
	return 0;
}

int rule_find(struct netlink *nl, const struct rule_spec *r, struct err *e)
{
	struct fib_rule_hdr header = { .family = r->family };
	struct nl_msg *m = message_new(RTM_GETRULE, NLM_F_DUMP, &header, sizeof(header));
	struct search s = { .rule = r };
	int ret = netlink_ask(nl, m, match, search_begin, &s, e);

	return ret < 0 ? ret : !s.found;
}

static int take_refusal(void *ctx, const struct nlmsghdr *m)
{
	const struct fib_rule_hdr *h = message_data(m);
	struct nlattr *tb[FRA_MAX + 1];

	if (m->nlmsg_type == RTM_NEWRULE &&
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)m, sizeof(*h), tb, FRA_MAX, NULL) == 0 &&
	    h->action == FR_ACT_UNREACHABLE && tb[FRA_PROTOCOL] &&
	    nla_get_u8(tb[FRA_PROTOCOL]) == RULE_PROTOCOL)
		*(bool *)ctx = true;
	return 0;
}

static void refusal_begin(void *ctx)
{
	*(bool *)ctx = false;
}

int rule_refuses(struct netlink *nl, uint8_t family, struct err *e)
{
	struct fib_rule_hdr header = { .family = family };
	struct nl_msg *m = message_new(RTM_GETRULE, NLM_F_DUMP, &header, sizeof(header));
	bool found;
	int r = netlink_ask(nl, m, take_refusal, refusal_begin, &found, e);

	return r < 0 ? r : found;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules in their order, and of each table that one names the route with the longest prefix. */
#include "kernel/rule_walk.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "kernel/message.h"
#include "kernel/rule.h"

#define RULES_MAX 4096

/* ---- the rules ---- */

struct rules {
	struct rule_info *of;
	unsigned n;
};

static void forget_rules(void *ctx)
{
	((struct rules *)ctx)->n = 0;
}

static void take_name(const struct nlattr *a, char ret[static 16])
{
	size_t len = a ? strnlen(nla_data(a), (size_t)nla_len(a)) : 0;

	len = len < 16 ? len : 15;
	if (len)
		memcpy(ret, nla_data(a), len);
	ret[len] = '\0';
}

static void take_ports(const struct nlattr *a, uint16_t ret[static 2])
{
	const struct fib_rule_port_range *range = a ? nla_data(a) : NULL;

	if (range && nla_len(a) >= (int)sizeof(*range)) {
		ret[0] = range->start;
		ret[1] = range->end;
	}
}

static struct cidr prefix_of(const struct nlattr *a, uint8_t family, uint8_t len)
{
	return (struct cidr){ .ip = attr_ip(a, family), .len = len };
}

static int take_rule(void *ctx, const struct nlmsghdr *h)
{
	struct rules *list = ctx;
	const struct fib_rule_hdr *header = message_data(h);
	struct nlattr *tb[FRA_MAX + 1];
	struct rule_info *r = &list->of[list->n];

	if (h->nlmsg_type != RTM_NEWRULE || list->n == RULES_MAX ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, sizeof(*header), tb, FRA_MAX, NULL) < 0)
		return 0;
	*r = (struct rule_info){ .priority = attr_u32(tb[FRA_PRIORITY]),
				 .src = prefix_of(tb[FRA_SRC], header->family, header->src_len),
				 .dst = prefix_of(tb[FRA_DST], header->family, header->dst_len),
				 .mark = attr_u32(tb[FRA_FWMARK]),
				 .mask = attr_u32(tb[FRA_FWMASK]),
				 .action = header->action,
				 .table = tb[FRA_TABLE] ? attr_u32(tb[FRA_TABLE]) : header->table,
				 .target = attr_u32(tb[FRA_GOTO]),
				 .protocol = tb[FRA_IP_PROTO] ? nla_get_u8(tb[FRA_IP_PROTO]) : 0,
				 .suppress = tb[FRA_SUPPRESS_PREFIXLEN]
						     ? (int)attr_u32(tb[FRA_SUPPRESS_PREFIXLEN])
						     : -1,
				 .maker = tb[FRA_PROTOCOL] ? nla_get_u8(tb[FRA_PROTOCOL]) : 0,
				 .invert = header->flags & FIB_RULE_INVERT,
				 .opaque = header->tos || tb[FRA_UID_RANGE] || tb[FRA_TUN_ID] ||
					   tb[FRA_L3MDEV] };
	take_name(tb[FRA_IIFNAME], r->iif);
	take_name(tb[FRA_OIFNAME], r->oif);
	take_ports(tb[FRA_SPORT_RANGE], r->sport);
	take_ports(tb[FRA_DPORT_RANGE], r->dport);
	list->n++;
	return 0;
}

static int read_rules(struct netlink *nl, uint8_t family, struct rules *ret, struct err *e)
{
	struct fib_rule_hdr header = { .family = family };
	struct nl_msg *m = message_new(RTM_GETRULE, NLM_F_DUMP, &header, sizeof(header));

	return netlink_ask(nl, m, take_rule, forget_rules, ret, e);
}

/* ---- does a rule mean the packet? ---- */

static bool within(const uint16_t range[static 2], uint16_t port)
{
	return !range[0] || (range[0] <= port && port <= range[1]);
}

static bool has_address(const struct cidr *c, const struct ip *ip)
{
	return !ip_is_set(&c->ip) || (ip_is_set(ip) && cidr_contains(c, ip));
}

/* A rule with a selector that is not known here is passed over: the kernel's word is compared. */
static bool means(const struct rule_info *r, const struct route_ask *ask, const char *iif)
{
	bool yes = has_address(&r->src, &ask->src) && has_address(&r->dst, &ask->dst) &&
		   (!r->iif[0] || !strcmp(r->iif, iif)) && !r->oif[0] &&
		   ((r->mark ^ ask->mark) & r->mask) == 0 &&
		   (!r->protocol || r->protocol == ask->protocol) && within(r->sport, ask->sport) &&
		   within(r->dport, ask->dport);

	return yes != r->invert && !r->opaque;
}

/* ---- the route of a table ---- */

struct longest {
	const struct ip *dst;
	uint32_t table;
	struct rule_decision *ret;
	bool found;
};

static void forget_routes(void *ctx)
{
	((struct longest *)ctx)->found = false;
}

static int take_route(void *ctx, const struct nlmsghdr *h)
{
	struct longest *l = ctx;
	const struct rtmsg *m = message_data(h);
	struct nlattr *tb[RTA_MAX + 1];
	struct cidr c;
	uint32_t metric;

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, sizeof(*m), tb, RTA_MAX, NULL) < 0 ||
	    m->rtm_flags & RTM_F_CLONED ||
	    (tb[RTA_TABLE] ? attr_u32(tb[RTA_TABLE]) : m->rtm_table) != l->table)
		return 0;
	c = prefix_of(tb[RTA_DST], m->rtm_family, m->rtm_dst_len);
	c.ip.family = m->rtm_family;
	metric = attr_u32(tb[RTA_PRIORITY]);
	if (!cidr_contains(&c, l->dst) ||
	    (l->found && (c.len < l->ret->match.len ||
			  (c.len == l->ret->match.len && metric >= l->ret->priority))))
		return 0;
	l->found = true;
	l->ret->match = c;
	l->ret->type = m->rtm_type;
	l->ret->priority = metric;
	l->ret->protocol = m->rtm_protocol;
	return 0;
}

/* Return: 1 if the table has a route that counts, 0 if not, or a negative errno. */
static int look_up(struct netlink *nl, const struct rule_info *rule, const struct ip *dst,
		   struct rule_decision *ret, struct err *e)
{
	struct longest l = { .dst = dst, .table = rule->table, .ret = ret };
	struct rtmsg header = { .rtm_family = dst->family };
	struct nl_msg *m = message_new(RTM_GETROUTE, NLM_F_DUMP, &header, sizeof(header));
	int r;

	message_put_u32(m, RTA_TABLE, rule->table);
	r = netlink_ask(nl, m, take_route, forget_routes, &l, e);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return l.found && ret->type != RTN_THROW && (int)ret->match.len > rule->suppress;
}

/* ---- the walk ---- */

static uint8_t refusal_of(uint8_t action)
{
	switch (action) {
	case FR_ACT_BLACKHOLE:
		return RTN_BLACKHOLE;
	case FR_ACT_UNREACHABLE:
		return RTN_UNREACHABLE;
	case FR_ACT_PROHIBIT:
		return RTN_PROHIBIT;
	default:
		return RTN_UNSPEC;
	}
}

/* Return: 1 if the rule decides, 0 if not, or a negative errno. */
static int decides(struct netlink *nl, const struct rule_info *rule, const struct ip *dst,
		   struct rule_decision *ret, struct err *e)
{
	ret->rule = *rule;
	ret->ours = 0;
	ret->type = refusal_of(rule->action);
	ret->by_rule = ret->type != RTN_UNSPEC;
	if (rule->action == FR_ACT_TO_TBL)
		return look_up(nl, rule, dst, ret, e);
	return ret->by_rule;
}

int rule_walk(struct netlink *nl, const struct route_ask *ask, const char *iif,
	      struct rule_decision *ret, struct err *e)
{
	cleanup_free struct rule_info *of = calloc(RULES_MAX + 1, sizeof(*of));
	struct rules list = { .of = of };
	uint32_t from = 0; /* a goto leads to the first rule of that priority or a higher one */
	uint32_t jumped = 0;
	int r;

	if (!of)
		return err_sys(e, ERR_KERNEL, ENOMEM, "cannot read the routing rules");
	r = read_rules(nl, ask->dst.family, &list, e);
	for (unsigned i = 0; i < list.n && r == 0; i++) {
		if (of[i].priority < from || !means(&of[i], ask, iif))
			continue;
		ret->before = jumped ? jumped : of[i].priority;
		if (of[i].action == FR_ACT_GOTO && !jumped)
			jumped = of[i].priority;
		if (of[i].action == FR_ACT_GOTO)
			from = of[i].target;
		else
			r = decides(nl, &of[i], &ask->dst, ret, e);
	}
	for (unsigned i = list.n; r == 1 && i-- > 0;)
		if (of[i].maker == RULE_PROTOCOL && of[i].priority > ret->before)
			ret->ours = of[i].priority;
	return r < 0 ? r : !r;
}

/* ---- in words ---- */

static void add_ports(struct text *t, const char *word, const uint16_t range[static 2])
{
	if (range[0] && range[0] == range[1])
		text_add(t, " %s %u", word, range[0]);
	else if (range[0])
		text_add(t, " %s %u-%u", word, range[0], range[1]);
}

static void add_table(struct text *t, uint32_t table)
{
	if (table == RT_TABLE_MAIN)
		text_add(t, " lookup main");
	else if (table == RT_TABLE_LOCAL)
		text_add(t, " lookup local");
	else if (table == RT_TABLE_DEFAULT)
		text_add(t, " lookup default");
	else
		text_add(t, " lookup %u", table);
}

static void add_action(struct text *t, const struct rule_info *r)
{
	static const char *const names[] = { [FR_ACT_NOP] = "nop",
					     [FR_ACT_BLACKHOLE] = "blackhole",
					     [FR_ACT_UNREACHABLE] = "unreachable",
					     [FR_ACT_PROHIBIT] = "prohibit" };

	if (r->action == FR_ACT_TO_TBL)
		add_table(t, r->table);
	else if (r->action == FR_ACT_GOTO)
		text_add(t, " goto %u", r->target);
	else if (r->action < ARRAY_SIZE(names) && names[r->action])
		text_add(t, " %s", names[r->action]);
}

void rule_text(const struct rule_info *r, struct text *t)
{
	char ip[IP_TEXT];

	text_add(t, "%sfrom %s", r->invert ? "not " : "",
		 ip_is_set(&r->src.ip) ? cidr_text(&r->src, ip) : "all");
	if (ip_is_set(&r->dst.ip))
		text_add(t, " to %s", cidr_text(&r->dst, ip));
	if (r->mask)
		text_add(t, " fwmark %#x/%#x", r->mark, r->mask);
	if (r->iif[0]) {
		text_add(t, " iif ");
		text_add_shell(t, r->iif);
	}
	if (r->protocol)
		text_add(t, " ipproto %u", r->protocol);
	add_ports(t, "sport", r->sport);
	add_ports(t, "dport", r->dport);
	add_action(t, r);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is this route there? A host has thousands of them, so the route to one address is asked for by
 * itself: the kernel tells the one that it takes. Only if that is another one are those of the
 * interface read: what is looked for may stand behind a lower metric, or behind a rule.
 */
#include "kernel/message.h"
#include "kernel/route.h"
#include "kernel/route_message.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

/* The kernel keeps no larger ones (ip_metrics_convert). */
#define METRIC_MTU_MAX    (65535 - 15)
#define METRIC_ADVMSS_MAX (65535 - 40)

struct search {
	const struct route_spec *route;
	bool any_table;
	bool found;   /* as it was made */
	bool changed; /* one to its destination, by its interface */
};

static void search_begin(void *ctx)
{
	struct search *s = ctx;

	s->found = s->changed = false;
}

/* Any table is not that of the interface itself, which has its index for a number. */
static bool right_table(const struct rtmsg *m, struct nlattr **tb, const struct search *s)
{
	uint32_t table = tb[RTA_TABLE] ? attr_u32(tb[RTA_TABLE]) : m->rtm_table;

	return s->any_table ? table != s->route->ifindex : table == route_table(s->route);
}

static bool same_dst(const struct rtmsg *m, struct nlattr **tb, const struct cidr *dst)
{
	struct ip ip = attr_ip(tb[RTA_DST], m->rtm_family);

	if (m->rtm_dst_len != dst->len || m->rtm_family != dst->ip.family)
		return false;
	return dst->len == 0 || ip_equal(&ip, &dst->ip);
}

/* IPv6 lowers the MTU of a route along with that of its link, as a later plugin may set it. */
static bool same_mtu(uint8_t family, uint32_t mtu, uint32_t want)
{
	if (want > METRIC_MTU_MAX)
		want = METRIC_MTU_MAX;
	return mtu == want || (family == AF_INET6 && mtu && mtu < want);
}

static bool same_advmss(uint32_t advmss, uint32_t want)
{
	return advmss == (want > METRIC_ADVMSS_MAX ? METRIC_ADVMSS_MAX : want);
}

static bool same_metrics(const struct rtmsg *m, struct nlattr **tb, const struct route_spec *want)
{
	struct nlattr *metrics[RTAX_MAX + 1];

	if (!want->mtu && !want->advmss)
		return true;
	if (!tb[RTA_METRICS] || nla_parse_nested(metrics, RTAX_MAX, tb[RTA_METRICS], NULL) < 0)
		return false;
	return (!want->mtu || same_mtu(m->rtm_family, attr_u32(metrics[RTAX_MTU]), want->mtu)) &&
	       (!want->advmss || same_advmss(attr_u32(metrics[RTAX_ADVMSS]), want->advmss));
}

static bool same_way(const struct rtmsg *m, struct nlattr **tb, const struct route_spec *want)
{
	const struct ip gw = attr_ip(tb[RTA_GATEWAY], m->rtm_family);
	const struct ip src = attr_ip(tb[RTA_PREFSRC], m->rtm_family);
	const bool scoped = want->has_scope && m->rtm_family == AF_INET; /* IPv6 has none */

	return m->rtm_type == route_kernel_type(want) && ip_equal(&gw, &want->gw) &&
	       (!ip_is_set(&want->src) || ip_equal(&src, &want->src)) &&
	       (!want->priority || attr_u32(tb[RTA_PRIORITY]) == want->priority) &&
	       (!scoped || m->rtm_scope == want->scope) && same_metrics(m, tb, want);
}

static int match(void *ctx, const struct nlmsghdr *h)
{
	struct search *s = ctx;
	const struct route_spec *want = s->route;
	const struct rtmsg *m = message_data(h);
	struct nlattr *tb[RTA_MAX + 1];

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, sizeof(*m), tb, RTA_MAX, NULL) < 0 ||
	    !same_dst(m, tb, &want->dst) || !right_table(m, tb, s) ||
	    (want->ifindex && attr_u32(tb[RTA_OIF]) != want->ifindex))
		return 0;
	s->changed = true;
	s->found |= same_way(m, tb, want);
	return 0;
}

static int ask(struct netlink *nl, struct nl_msg *m, struct search *s, struct err *e)
{
	int ret = netlink_ask(nl, m, match, search_begin, s, e);

	/* No table, no interface: then the route is not there either. */
	if (ret == -ENOENT || ret == -ENODEV)
		return ROUTE_ABSENT;
	if (ret < 0)
		return ret;
	return s->found ? ROUTE_THERE : s->changed ? ROUTE_CHANGED : ROUTE_ABSENT;
}

int route_is_taken(struct netlink *nl, const struct route_spec *r, struct err *e)
{
	struct rtmsg header = { .rtm_family = r->dst.ip.family,
				.rtm_dst_len = r->dst.len,
				.rtm_flags = RTM_F_FIB_MATCH };
	struct nl_msg *m = message_new(RTM_GETROUTE, 0, &header, sizeof(header));
	struct search s = { .route = r };
	int ret;

	message_put_ip(m, RTA_DST, &r->dst.ip);
	ret = ask(nl, m, &s, e);
	if (route_goes_nowhere(ret))
		return 1;
	return ret < 0 ? ret : ret != ROUTE_THERE;
}

/* With strict checking the kernel sends those of this table and interface, and no others. */
static int read_all(struct netlink *nl, struct search *s, struct err *e)
{
	const struct route_spec *r = s->route;
	struct rtmsg header = { .rtm_family = r->dst.ip.family };
	struct nl_msg *m;

	/* A type of its own has a metric of its own: the kernel need not send the others. */
	if (r->type == ROUTE_UNREACHABLE)
		header.rtm_type = route_kernel_type(r);
	m = message_new(RTM_GETROUTE, NLM_F_DUMP, &header, sizeof(header));
	if (!s->any_table)
		message_put_u32(m, RTA_TABLE, route_table(r));
	if (r->ifindex && r->type == ROUTE_UNICAST)
		message_put_u32(m, RTA_OIF, r->ifindex);
	return ask(nl, m, s, e);
}

int route_find(struct netlink *nl, const struct route_spec *r, enum route_where where,
	       struct err *e)
{
	bool single = r->type == ROUTE_UNICAST && r->dst.len == ip_bits(&r->dst.ip) && !r->table;
	struct search s = { .route = r };
	int ret;

	if (single && route_is_taken(nl, r, e) == 0)
		return 0;
	ret = read_all(nl, &s, e);
	s.any_table = where == ROUTE_OF_INTERFACE && r->ifindex;
	return ret > 0 && s.any_table ? read_all(nl, &s, e) : ret;
}

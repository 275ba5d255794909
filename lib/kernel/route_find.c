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

struct search {
	const struct route_spec *route;
	bool any_table;
	bool found;
};

static void search_begin(void *ctx)
{
	struct search *s = ctx;

	s->found = false;
}

static bool same_table(const struct rtmsg *m, struct nlattr **tb, const struct route_spec *want)
{
	uint32_t table = tb[RTA_TABLE] ? attr_u32(tb[RTA_TABLE]) : m->rtm_table;

	return table == route_table(want);
}

static bool same_dst(const struct rtmsg *m, struct nlattr **tb, const struct cidr *dst)
{
	struct ip ip = attr_ip(tb[RTA_DST], m->rtm_family);

	if (m->rtm_dst_len != dst->len || m->rtm_family != dst->ip.family)
		return false;
	return dst->len == 0 || ip_equal(&ip, &dst->ip);
}

static bool same_gateway(const struct rtmsg *m, struct nlattr **tb, const struct ip *gw)
{
	struct ip ip = attr_ip(tb[RTA_GATEWAY], m->rtm_family);

	return ip_equal(&ip, gw);
}

static int match(void *ctx, const struct nlmsghdr *h)
{
	struct search *s = ctx;
	const struct route_spec *want = s->route;
	const struct rtmsg *m = message_data(h);
	struct nlattr *tb[RTA_MAX + 1];

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, sizeof(*m), tb, RTA_MAX, NULL) < 0)
		return 0;
	s->found |= m->rtm_type == route_kernel_type(want) &&
		    (s->any_table || same_table(m, tb, want)) &&
		    (!want->priority || attr_u32(tb[RTA_PRIORITY]) == want->priority) &&
		    same_dst(m, tb, &want->dst) && same_gateway(m, tb, &want->gw) &&
		    (!want->ifindex || attr_u32(tb[RTA_OIF]) == want->ifindex);
	return 0;
}

static int ask(struct netlink *nl, struct nl_msg *m, struct search *s, struct err *e)
{
	int ret = netlink_ask(nl, m, match, search_begin, s, e);

	/* No table, no interface: then the route is not there either. */
	if (ret == -ENOENT || ret == -ENODEV)
		return 1;
	return ret < 0 ? ret : !s->found;
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
	/* No way there; or a route or a rule that refuses is in front of it. */
	if (ret == -ENETUNREACH || ret == -EHOSTUNREACH || ret == -ESRCH || ret == -EACCES ||
	    ret == -EINVAL)
		return 1;
	return ret;
}

/* With strict checking the kernel sends those of this table and interface, and no others. */
static int read_all(struct netlink *nl, struct search *s, struct err *e)
{
	const struct route_spec *r = s->route;
	struct rtmsg header = { .rtm_family = r->dst.ip.family };
	struct nl_msg *m = message_new(RTM_GETROUTE, NLM_F_DUMP, &header, sizeof(header));

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
	return ret == 1 && s.any_table ? read_all(nl, &s, e) : ret;
}

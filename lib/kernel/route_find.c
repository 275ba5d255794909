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
	bool found;
};

static void search_begin(void *ctx)
{
	struct search *s = ctx;

	s->found = false;
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
	uint32_t table;

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, sizeof(*m), tb, RTA_MAX, NULL) < 0)
		return 0;
	table = tb[RTA_TABLE] ? attr_u32(tb[RTA_TABLE]) : m->rtm_table;
	s->found |= m->rtm_type == route_kernel_type(want) && table == route_table(want) &&
		    (!want->priority || attr_u32(tb[RTA_PRIORITY]) == want->priority) &&
		    same_dst(m, tb, &want->dst) && same_gateway(m, tb, &want->gw) &&
		    (!want->ifindex || attr_u32(tb[RTA_OIF]) == want->ifindex);
	return 0;
}

static int ask(struct netlink *nl, struct nl_msg *m, const struct route_spec *r, struct err *e)
{
	struct search s = { .route = r };
	int ret = netlink_ask(nl, m, match, search_begin, &s, e);

	/* No table, no interface: then the route is not there either. */
	if (ret == -ENOENT || ret == -ENODEV)
		return 1;
	return ret < 0 ? ret : !s.found;
}

int route_is_taken(struct netlink *nl, const struct route_spec *r, struct err *e)
{
	struct rtmsg header = { .rtm_family = r->dst.ip.family,
				.rtm_dst_len = r->dst.len,
				.rtm_flags = RTM_F_FIB_MATCH };
	struct nl_msg *m = message_new(RTM_GETROUTE, 0, &header, sizeof(header));

	int ret;

	message_put_ip(m, RTA_DST, &r->dst.ip);
	ret = ask(nl, m, r, e);
	/* No way there; or a route or a rule that refuses is in front of it. */
	if (ret == -ENETUNREACH || ret == -EHOSTUNREACH || ret == -ESRCH || ret == -EACCES ||
	    ret == -EINVAL)
		return 1;
	return ret;
}

/* With strict checking the kernel sends those of this table and interface, and no others. */
static int read_all(struct netlink *nl, const struct route_spec *r, struct err *e)
{
	struct rtmsg header = { .rtm_family = r->dst.ip.family };
	struct nl_msg *m = message_new(RTM_GETROUTE, NLM_F_DUMP, &header, sizeof(header));

	message_put_u32(m, RTA_TABLE, route_table(r));
	if (r->ifindex && r->type == ROUTE_UNICAST)
		message_put_u32(m, RTA_OIF, r->ifindex);
	return ask(nl, m, r, e);
}

int route_find(struct netlink *nl, const struct route_spec *r, struct err *e)
{
	bool single = r->type == ROUTE_UNICAST && r->dst.len == ip_bits(&r->dst.ip) && !r->table;

	if (single && route_is_taken(nl, r, e) == 0)
		return 0;
	return read_all(nl, r, e);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where does a packet go, and to which MAC? The kernel is asked as a packet would ask it. */
#include "kernel/message.h"
#include "kernel/route.h"
#include "kernel/route_message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

static bool parsed(const struct nlmsghdr *h, int header, struct nlattr **tb, int max)
{
	return nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, header, tb, max, NULL) == 0;
}

static void put_port(struct nl_msg *m, int type, uint16_t port)
{
	uint16_t be = htons(port);

	if (port)
		message_put(m, type, &be, sizeof(be));
}

static void put_ports(struct nl_msg *m, const struct route_ask *ask)
{
	if (!ask->protocol)
		return;
	message_put_u8(m, RTA_IP_PROTO, ask->protocol);
	put_port(m, RTA_SPORT, ask->sport);
	put_port(m, RTA_DPORT, ask->dport);
}

static struct nl_msg *question(const struct route_ask *ask, uint32_t flags)
{
	struct rtmsg header = { .rtm_family = ask->dst.family,
				.rtm_dst_len = (uint8_t)ip_bits(&ask->dst),
				.rtm_flags = flags };
	struct nl_msg *m;

	if (ip_is_set(&ask->src))
		header.rtm_src_len = (uint8_t)ip_bits(&ask->src);
	m = message_new(RTM_GETROUTE, 0, &header, sizeof(header));
	message_put_ip(m, RTA_DST, &ask->dst);
	message_put_ip(m, RTA_SRC, &ask->src);
	if (ask->iif)
		message_put_u32(m, RTA_IIF, ask->iif);
	if (ask->mark)
		message_put_u32(m, RTA_MARK, ask->mark);
	put_ports(m, ask);
	return m;
}

/* A gateway of the other family (RTA_VIA): struct rtvia is a family and its bytes. */
static struct ip via_of(const struct nlattr *a)
{
	const struct rtvia *via = a ? nla_data(a) : NULL;
	struct ip ip = { .family = 0 };

	if (!via || nla_len(a) < (int)sizeof(*via))
		return ip;
	ip.family = (uint8_t)via->rtvia_family;
	if (nla_len(a) != (int)(sizeof(*via) + ip_size(&ip)))
		return (struct ip){ .family = 0 };
	memcpy(ip.b, via->rtvia_addr, ip_size(&ip));
	return ip;
}

static int take_decision(void *ctx, const struct nlmsghdr *h)
{
	struct route_way *ret = ctx;
	const struct rtmsg *m = message_data(h);
	struct nlattr *tb[RTA_MAX + 1];

	if (h->nlmsg_type != RTM_NEWROUTE || !parsed(h, sizeof(*m), tb, RTA_MAX))
		return 0;
	ret->ifindex = attr_u32(tb[RTA_OIF]);
	ret->gw = tb[RTA_VIA] ? via_of(tb[RTA_VIA]) : attr_ip(tb[RTA_GATEWAY], m->rtm_family);
	ret->src = attr_ip(tb[RTA_PREFSRC], m->rtm_family);
	ret->local = m->rtm_type == RTN_LOCAL;
	return 0;
}

static int take_match(void *ctx, const struct nlmsghdr *h)
{
	struct route_way *ret = ctx;
	const struct rtmsg *m = message_data(h);
	struct nlattr *tb[RTA_MAX + 1];

	if (h->nlmsg_type != RTM_NEWROUTE || !parsed(h, sizeof(*m), tb, RTA_MAX))
		return 0;
	ret->match.ip = attr_ip(tb[RTA_DST], m->rtm_family);
	ret->match.ip.family = m->rtm_family; /* the default route has no RTA_DST */
	ret->match.len = m->rtm_dst_len;
	ret->table = tb[RTA_TABLE] ? attr_u32(tb[RTA_TABLE]) : m->rtm_table;
	return 0;
}

int route_way_find(struct netlink *nl, const struct route_ask *ask, struct route_way *ret,
		   int *ret_why, struct err *e)
{
	struct err ignored;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = netlink_ask(nl, question(ask, 0), take_decision, NULL, ret, e);
	if (r == 0) /* a route may be gone by now; the decision stands all the same */
		netlink_ask(nl, question(ask, RTM_F_FIB_MATCH), take_match, NULL, ret, &ignored);
	if (!route_goes_nowhere(r))
		return r;
	*ret_why = r == -ESRCH ? ENETUNREACH : -r;
	return 1;
}

int route_is_local(struct netlink *nl, const struct ip *ip, struct err *e)
{
	const struct route_ask ask = { .dst = *ip };
	struct route_way way = { .local = false };
	int r = netlink_ask(nl, question(&ask, 0), take_decision, NULL, &way, e);

	if (route_goes_nowhere(r))
		return 0;
	return r < 0 ? r : way.local;
}

/* ---- neighbours ---- */

static const struct {
	unsigned bit;
	const char *name;
} states[] = {
	{ NUD_PERMANENT, "permanent" },   { NUD_NOARP, "noarp" },   { NUD_REACHABLE, "reachable" },
	{ NUD_STALE, "stale" },           { NUD_DELAY, "delay" },   { NUD_PROBE, "probe" },
	{ NUD_INCOMPLETE, "incomplete" }, { NUD_FAILED, "failed" },
};

static int take_neigh(void *ctx, const struct nlmsghdr *h)
{
	struct neigh_info *ret = ctx;
	const struct ndmsg *n = message_data(h);
	struct nlattr *tb[NDA_MAX + 1];

	if (h->nlmsg_type != RTM_NEWNEIGH || !parsed(h, sizeof(*n), tb, NDA_MAX))
		return 0;
	*ret = (struct neigh_info){ .state = "none" };
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (n->ndm_state & states[i].bit)
			ret->state = states[i].name;
	ret->fixed = n->ndm_state & (NUD_PERMANENT | NUD_NOARP);
	ret->valid = !(n->ndm_state & (NUD_INCOMPLETE | NUD_FAILED)) && tb[NDA_LLADDR] &&
		     nla_len(tb[NDA_LLADDR]) == (int)sizeof(ret->mac.b);
	if (ret->valid)
		memcpy(ret->mac.b, nla_data(tb[NDA_LLADDR]), sizeof(ret->mac.b));
	return 0;
}

int neigh_get(struct netlink *nl, uint32_t ifindex, const struct ip *ip, struct neigh_info *ret,
	      struct err *e)
{
	struct ndmsg header = { .ndm_family = ip->family, .ndm_ifindex = (int)ifindex };
	struct nl_msg *m = message_new(RTM_GETNEIGH, 0, &header, sizeof(header));
	int r;

	*ret = (struct neigh_info){ .state = "none" };
	message_put_ip(m, NDA_DST, ip);
	r = netlink_ask(nl, m, take_neigh, NULL, ret, e);
	return r == -ENOENT || r == -ENODEV || r == -EINVAL ? 1 : r;
}

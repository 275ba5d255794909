/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is this address or neighbour there? And which interface leads out of here? */
#include "kernel/route.h"

#include "base/text.h"
#include "kernel/link.h"
#include "kernel/message.h"
#include "kernel/route_message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

struct search {
	const struct cidr *cidr;
	const struct mac *mac;
	uint32_t ifindex;
	struct ip found_ip;
	bool found, detecting, failed;
};

static void search_begin(void *ctx)
{
	struct search *s = ctx;

	s->found = s->detecting = s->failed = false;
}

static bool attributes(const struct nlmsghdr *h, int header, struct nlattr **tb, int max)
{
	return nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, header, tb, max, NULL) == 0;
}

static int match_addr(void *ctx, const struct nlmsghdr *h)
{
	struct search *s = ctx;
	const struct ifaddrmsg *a = message_data(h);
	struct nlattr *tb[IFA_MAX + 1];
	uint32_t flags;
	struct ip ip;

	if (h->nlmsg_type != RTM_NEWADDR || a->ifa_index != s->ifindex ||
	    !attributes(h, sizeof(*a), tb, IFA_MAX))
		return 0;
	ip = attr_ip(tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS], a->ifa_family);
	flags = tb[IFA_FLAGS] ? attr_u32(tb[IFA_FLAGS]) : a->ifa_flags;
	s->detecting |= (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) == IFA_F_TENTATIVE;
	if (s->cidr && a->ifa_prefixlen == s->cidr->len && ip_equal(&ip, &s->cidr->ip)) {
		s->found = true;
		s->failed = flags & IFA_F_DADFAILED;
	} else if (!s->cidr && !s->found && a->ifa_scope == RT_SCOPE_UNIVERSE) {
		s->found = true;
		s->found_ip = ip;
	}
	return 0;
}

static int addr_search(struct netlink *nl, struct search *s, uint8_t family, struct err *e)
{
	struct ifaddrmsg header = { .ifa_family = family, .ifa_index = s->ifindex };
	struct nl_msg *m = message_new(RTM_GETADDR, NLM_F_DUMP, &header, sizeof(header));
	int r = netlink_ask(nl, m, match_addr, search_begin, s, e);

	/* With strict checking the kernel says ENODEV for an interface that is gone. */
	if (r == -ENODEV)
		return 1;
	return r < 0 ? r : !s->found;
}

int addr_find(struct netlink *nl, uint32_t ifindex, const struct cidr *c, struct err *e)
{
	struct search s = { .cidr = c, .ifindex = ifindex };

	return addr_search(nl, &s, c->ip.family, e);
}

int addr_detected(struct netlink *nl, uint32_t ifindex, const struct cidr *c,
		  enum addr_detected *ret, struct err *e)
{
	struct search s = { .cidr = c, .ifindex = ifindex };
	int r = addr_search(nl, &s, c->ip.family, e);

	*ret = s.failed ? ADDR_DUPLICATE : s.detecting ? ADDR_DETECTING : ADDR_READY;
	return r;
}

int addr_first(struct netlink *nl, uint32_t ifindex, uint8_t family, struct ip *ret, struct err *e)
{
	struct search s = { .ifindex = ifindex };
	int r = addr_search(nl, &s, family, e);

	*ret = s.found_ip;
	return r;
}

struct addr_found {
	uint32_t ifindex;
	struct cidr *list;
	unsigned n, max;
	bool more;
};

static void forget_addrs(void *ctx)
{
	struct addr_found *f = ctx;

	f->n = 0;
	f->more = false;
}

static int take_addr(void *ctx, const struct nlmsghdr *h)
{
	struct addr_found *f = ctx;
	const struct ifaddrmsg *a = message_data(h);
	struct nlattr *tb[IFA_MAX + 1];
	struct cidr *c = &f->list[f->n];

	if (h->nlmsg_type != RTM_NEWADDR || a->ifa_index != f->ifindex ||
	    a->ifa_scope != RT_SCOPE_UNIVERSE || !attributes(h, sizeof(*a), tb, IFA_MAX))
		return 0;
	if (tb[IFA_PROTO] && nla_get_u8(tb[IFA_PROTO]) == ADDR_PROTO)
		return 0;
	f->more |= f->n == f->max;
	if (f->more)
		return 0;
	c->ip = attr_ip(tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS], a->ifa_family);
	c->len = a->ifa_prefixlen;
	f->n += ip_is_set(&c->ip);
	return 0;
}

int addr_list(struct netlink *nl, uint32_t ifindex, struct cidr *ret, unsigned max, unsigned *ret_n,
	      struct err *e)
{
	struct ifaddrmsg header = { .ifa_family = AF_UNSPEC, .ifa_index = ifindex };
	struct addr_found f = { .ifindex = ifindex, .list = ret, .max = max };
	struct nl_msg *m = message_new(RTM_GETADDR, NLM_F_DUMP, &header, sizeof(header));
	int r = netlink_ask(nl, m, take_addr, forget_addrs, &f, e);

	*ret_n = f.n;
	if (r < 0)
		return r == -ENODEV ? 0 : r;
	return f.more;
}

static int match_neigh(void *ctx, const struct nlmsghdr *h)
{
	struct search *s = ctx;
	const struct ndmsg *n = message_data(h);
	struct nlattr *tb[NDA_MAX + 1];

	if (h->nlmsg_type != RTM_NEWNEIGH || !attributes(h, sizeof(*n), tb, NDA_MAX))
		return 0;
	s->found |= (n->ndm_state & NUD_PERMANENT) && tb[NDA_LLADDR] &&
		    nla_len(tb[NDA_LLADDR]) == (int)sizeof(s->mac->b) &&
		    memcmp(nla_data(tb[NDA_LLADDR]), s->mac->b, sizeof(s->mac->b)) == 0;
	return 0;
}

int neigh_find(struct netlink *nl, uint32_t ifindex, const struct ip *ip, const struct mac *mac,
	       struct err *e)
{
	struct ndmsg header = { .ndm_family = ip->family, .ndm_ifindex = (int)ifindex };
	struct nl_msg *m = message_new(RTM_GETNEIGH, 0, &header, sizeof(header));
	struct search s = { .mac = mac };
	int r;

	message_put_ip(m, NDA_DST, ip);
	r = netlink_ask(nl, m, match_neigh, search_begin, &s, e);
	if (r == -ENOENT || r == -ENODEV || r == -EINVAL)
		return 1;
	return r < 0 ? r : !s.found;
}

static int take_uplink(void *ctx, const struct nlmsghdr *h)
{
	struct route_uplink *ret = ctx;
	const struct rtmsg *m = message_data(h);
	struct nlattr *tb[RTA_MAX + 1];

	if (h->nlmsg_type != RTM_NEWROUTE || m->rtm_type != RTN_UNICAST ||
	    !attributes(h, sizeof(*m), tb, RTA_MAX))
		return 0;
	ret->ifindex = attr_u32(tb[RTA_OIF]);
	ret->src = attr_ip(tb[RTA_PREFSRC], m->rtm_family);
	return 0;
}

static int take_gateway(void *ctx, const struct nlmsghdr *h)
{
	const struct rtmsg *m = message_data(h);
	struct nlattr *tb[RTA_MAX + 1];

	if (h->nlmsg_type == RTM_NEWROUTE && m->rtm_type == RTN_UNICAST &&
	    attributes(h, sizeof(*m), tb, RTA_MAX))
		*(struct ip *)ctx = attr_ip(tb[RTA_GATEWAY], m->rtm_family);
	return 0;
}

/* To an address that nobody has: one of class E (RFC 1112), and one that IANA holds back. */
static struct nl_msg *ask_far(uint8_t family, uint32_t oif)
{
	struct rtmsg header = { .rtm_family = family };
	struct nl_msg *m;
	struct ip far;

	ip_parse(family == AF_INET ? "240.0.0.1" : "2000::1", &far);
	header.rtm_dst_len = (uint8_t)ip_bits(&far);
	m = message_new(RTM_GETROUTE, 0, &header, sizeof(header));
	message_put_ip(m, RTA_DST, &far);
	if (oif)
		message_put_u32(m, RTA_OIF, oif);
	return m;
}

int route_default_gateway(struct netlink *nl, uint8_t family, uint32_t oif, struct ip *ret,
			  struct err *e)
{
	int r;

	*ret = (struct ip){ .family = 0 };
	r = netlink_ask(nl, ask_far(family, oif), take_gateway, NULL, ret, e);
	return route_goes_nowhere(r) ? 0 : r;
}

int route_uplink_find(struct netlink *nl, uint8_t family, struct route_uplink *ret, struct err *e)
{
	struct link_info link;
	int r;

	memset(ret, 0, sizeof(*ret));
	/* It shows where "everything else" goes, at the same cost however many routes there are. */
	r = netlink_ask(nl, ask_far(family, 0), take_uplink, NULL, ret, e);
	if (route_goes_nowhere(r))
		return 0;
	if (r < 0 || !ret->ifindex)
		return r;
	r = link_by_index(nl, ret->ifindex, &link, e);
	if (r != 0) {
		ret->ifindex = 0;
		return r < 0 ? r : 0;
	}
	ret->mtu = link.mtu;
	return text_copy(ret->name, sizeof(ret->name), link.name) ? 0 : -EINVAL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where is an address, as seen from here: on a link, elsewhere, or is it one of ours? */
#include "kernel/link.h"
#include "kernel/message.h"
#include "kernel/route.h"
#include "kernel/route_message.h"

#include "base/text.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

/* The route that decides for an address. */
struct decider {
	bool local;
	uint32_t ifindex;
	struct ip gw;
	uint8_t len; /* of its prefix */
};

static int take_decider(void *ctx, const struct nlmsghdr *h)
{
	struct decider *ret = ctx;
	const struct rtmsg *m = message_data(h);
	struct nlattr *tb[RTA_MAX + 1];

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, sizeof(*m), tb, RTA_MAX, NULL) < 0)
		return 0;
	ret->local = m->rtm_type == RTN_LOCAL;
	/* Of several next hops none is named by itself: they are gateways. */
	ret->ifindex = m->rtm_type == RTN_UNICAST ? attr_u32(tb[RTA_OIF]) : 0;
	ret->gw = attr_ip(tb[RTA_GATEWAY], m->rtm_family);
	ret->len = m->rtm_dst_len;
	return 0;
}

/* Return: 0, 1 if there is no way there, or -errno. */
static int find_decider(struct netlink *nl, const struct ip *ip, struct decider *ret, struct err *e)
{
	struct rtmsg header = { .rtm_family = ip->family,
				.rtm_dst_len = (uint8_t)ip_bits(ip),
				.rtm_flags = RTM_F_FIB_MATCH };
	struct nl_msg *m = message_new(RTM_GETROUTE, 0, &header, sizeof(header));
	int r;

	memset(ret, 0, sizeof(*ret));
	message_put_ip(m, RTA_DST, ip);
	r = netlink_ask(nl, m, take_decider, NULL, ret, e);
	return route_goes_nowhere(r) ? 1 : r;
}

/*
 * A route of a whole prefix leads to neighbours only where they are asked for: what is sent into a
 * tunnel without ARP goes to its other end, as to a gateway. The same with a default route.
 */
static bool is_on_link(const struct decider *d, const struct ip *ip, const struct link_info *link)
{
	if (ip_is_set(&d->gw))
		return ip_equal(&d->gw, ip);
	return d->len == ip_bits(ip) || (d->len && !(link->flags & IFF_NOARP));
}

int route_place_find(struct netlink *nl, const struct ip *ip, struct route_place *ret,
		     struct err *e)
{
	struct link_info link;
	struct decider d;
	int r = find_decider(nl, ip, &d, e);

	*ret = (struct route_place){ .where = r == 0 && d.local ? PLACE_HERE : PLACE_AWAY };
	if (r != 0 || !d.ifindex || (ip_is_set(&d.gw) && !ip_equal(&d.gw, ip)))
		return r < 0 ? r : 0;
	r = link_by_index(nl, d.ifindex, &link, e);
	if (r == 0 && is_on_link(&d, ip, &link)) {
		ret->where = PLACE_LINK;
		text_copy(ret->ifname, sizeof(ret->ifname), link.name);
	}
	return r < 0 ? r : 0;
}

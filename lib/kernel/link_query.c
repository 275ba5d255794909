/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One link asked for by index or name; a dump of all of them only for who wants them all. */
#include "kernel/link.h"

#include "base/io.h"
#include "base/text.h"
#include "kernel/message.h"
#include "kernel/netns_id.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void attr_text(const struct nlattr *a, char *ret, size_t size)
{
	size_t len = a ? (size_t)nla_len(a) : 0;

	len = len < size ? len : size - 1;
	if (a)
		memcpy(ret, nla_data(a), len);
	ret[len] = '\0';
}

static void take_port(const struct nlattr *data, struct link_info *ret)
{
	struct nlattr *tb[IFLA_BRPORT_MAX + 1];

	if (!data ||
	    nla_parse_nested(tb, IFLA_BRPORT_MAX, (struct nlattr *)(uintptr_t)data, NULL) < 0)
		return;
	ret->hairpin = tb[IFLA_BRPORT_MODE] && nla_get_u8(tb[IFLA_BRPORT_MODE]);
	ret->isolated = tb[IFLA_BRPORT_ISOLATED] && nla_get_u8(tb[IFLA_BRPORT_ISOLATED]);
	if (tb[IFLA_BRPORT_STATE])
		ret->port_state = nla_get_u8(tb[IFLA_BRPORT_STATE]);
}

static void take_macvlan(const struct nlattr *data, struct link_info *ret)
{
	struct nlattr *tb[IFLA_MACVLAN_MAX + 1];

	if (data &&
	    nla_parse_nested(tb, IFLA_MACVLAN_MAX, (struct nlattr *)(uintptr_t)data, NULL) == 0)
		ret->macvlan_mode = attr_u32(tb[IFLA_MACVLAN_MODE]);
}

static void take_kind(const struct nlattr *linkinfo, struct link_info *ret)
{
	struct nlattr *tb[IFLA_INFO_MAX + 1];

	if (!linkinfo ||
	    nla_parse_nested(tb, IFLA_INFO_MAX, (struct nlattr *)(uintptr_t)linkinfo, NULL) < 0)
		return;
	attr_text(tb[IFLA_INFO_KIND], ret->kind, sizeof(ret->kind));
	if (strcmp(ret->kind, "macvlan") == 0)
		take_macvlan(tb[IFLA_INFO_DATA], ret);
	take_port(tb[IFLA_INFO_SLAVE_DATA], ret);
}

static int take_link(void *ctx, const struct nlmsghdr *h)
{
	struct link_info *ret = ctx;
	const struct ifinfomsg *info = message_data(h);
	struct nlattr *tb[IFLA_MAX + 1];

	if (h->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, sizeof(*info), tb, IFLA_MAX, NULL) < 0)
		return 0;
	memset(ret, 0, sizeof(*ret));
	ret->ifindex = (uint32_t)info->ifi_index;
	ret->flags = info->ifi_flags;
	ret->master = attr_u32(tb[IFLA_MASTER]);
	ret->link = attr_u32(tb[IFLA_LINK]);
	ret->mtu = attr_u32(tb[IFLA_MTU]);
	ret->elsewhere = tb[IFLA_LINK_NETNSID] != NULL;
	attr_text(tb[IFLA_IFNAME], ret->name, sizeof(ret->name));
	attr_text(tb[IFLA_IFALIAS], ret->alias, sizeof(ret->alias));
	take_kind(tb[IFLA_LINKINFO], ret);
	if (tb[IFLA_ADDRESS] && nla_len(tb[IFLA_ADDRESS]) == (int)sizeof(ret->mac.b))
		memcpy(ret->mac.b, nla_data(tb[IFLA_ADDRESS]), sizeof(ret->mac.b));
	return 0;
}

/* Without its counters, which the kernel sums up over all processors for each link that it tells
 * of. */
static struct nl_msg *question(uint16_t flags, uint32_t ifindex)
{
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex };
	struct nl_msg *m = message_new(RTM_GETLINK, flags, &header, sizeof(header));

	message_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return m;
}

static int ask_link(struct netlink *nl, struct nl_msg *m, struct link_info *ret, struct err *e)
{
	int r;

	memset(ret, 0, sizeof(*ret)); /* an answer may tell of no link at all */
	r = netlink_ask(nl, m, take_link, NULL, ret, e);
	if (r == -ENODEV || (r == 0 && !ret->ifindex))
		return 1;
	return r;
}

int link_by_index(struct netlink *nl, uint32_t ifindex, struct link_info *ret, struct err *e)
{
	return ask_link(nl, question(0, ifindex), ret, e);
}

bool link_carrier_pending(uint32_t flags)
{
	const uint32_t up = IFF_UP | IFF_LOWER_UP;

	return (flags & (up | IFF_RUNNING | IFF_DORMANT)) == up;
}

#define AWAIT_MS 1000 /* the link watch runs at least once a second */

int link_await(struct netlink *nl, uint32_t ifindex, struct err *e)
{
	const struct timespec pause = { .tv_nsec = 1000000L };
	int64_t end = io_clock_ms() + AWAIT_MS;
	struct link_info link;
	int r;

	while ((r = link_by_index(nl, ifindex, &link, e)) == 0 &&
	       link_carrier_pending(link.flags) && io_clock_ms() < end)
		nanosleep(&pause, NULL);
	return r < 0 ? r : 0;
}

int link_by_index_in(struct netlink *nl, uint32_t id, uint32_t ifindex, struct link_info *ret,
		     struct err *e)
{
	struct nl_msg *m = question(0, ifindex);
	int r;

	message_put_u32(m, IFLA_TARGET_NETNSID, id);
	r = ask_link(nl, m, ret, e);
	return r == -EINVAL ? 1 : r; /* what the kernel says of an id that nobody has */
}

int link_del_in(struct netlink *nl, uint32_t id, uint32_t ifindex, struct err *e)
{
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex };
	struct nl_msg *m = message_new(RTM_DELLINK, 0, &header, sizeof(header));
	int r;

	message_put_u32(m, IFLA_TARGET_NETNSID, id);
	r = netlink_ask(nl, m, NULL, NULL, NULL, e);
	return r == -ENODEV || r == -EINVAL ? 0 : r;
}

static int count_port(void *ctx, const struct nlmsghdr *h)
{
	*(bool *)ctx |= h->nlmsg_type == RTM_NEWLINK;
	return 0;
}

static void no_port(void *ctx)
{
	*(bool *)ctx = false;
}

int link_has_ports(struct netlink *nl, uint32_t ifindex, struct err *e)
{
	struct nl_msg *m = question(NLM_F_DUMP, 0);
	bool found = false;
	int r;

	/* The kernel filters the dump: only the ports of this master are sent. */
	message_put_u32(m, IFLA_MASTER, ifindex);
	r = netlink_ask(nl, m, count_port, no_port, &found, e);
	return r < 0 ? r : found;
}

int link_bridge_vlans(struct netlink *nl, struct err *e)
{
	struct br_vlan_msg header = { .family = AF_BRIDGE };
	int r = netlink_ask(nl, message_new(RTM_GETVLAN, NLM_F_DUMP, &header, sizeof(header)), NULL,
			    NULL, NULL, e);

	if (r == -EOPNOTSUPP)
		return 0;
	return r < 0 ? r : 1;
}

int link_kind_known(struct netlink *nl, const char *kind, struct err *e)
{
	static const struct mac all = { .b = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
	struct nl_msg *m =
		message_new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
	struct nlattr *info;
	int r;

	message_put(m, IFLA_ADDRESS, all.b, sizeof(all.b));
	info = message_nest(m, IFLA_LINKINFO);
	message_put_text(m, IFLA_INFO_KIND, kind);
	message_nest_end(m, info);
	r = netlink_ask(nl, m, NULL, NULL, NULL, e);
	if (r == -EADDRNOTAVAIL) /* the kind has judged the MAC */
		return 1;
	return r == -EOPNOTSUPP ? 0 : r < 0 ? r : 1;
}

int link_by_name(struct netlink *nl, const char *name, struct link_info *ret, struct err *e)
{
	struct nl_msg *m = question(0, 0);

	message_put_text(m, IFLA_IFNAME, name);
	return ask_link(nl, m, ret, e);
}

struct list {
	struct link_info *of;
	size_t n, room;
};

static int list_link(void *ctx, const struct nlmsghdr *h)
{
	struct list *l = ctx;

	if (h->nlmsg_type != RTM_NEWLINK)
		return 0;
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct link_info *more = reallocarray(l->of, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->of = more;
		l->room = room;
	}
	return take_link(&l->of[l->n++], h);
}

static void list_nothing(void *ctx)
{
	((struct list *)ctx)->n = 0;
}

int link_list(struct netlink *nl, struct link_info **ret, size_t *ret_n, struct err *e)
{
	struct nl_msg *m = question(NLM_F_DUMP, 0);
	struct list l = { .of = NULL };
	int r = netlink_ask(nl, m, list_link, list_nothing, &l, e);

	if (r < 0) {
		free(l.of);
		return r;
	}
	*ret = l.of;
	*ret_n = l.n;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests about links: born in their namespace, with the indexes, names and MACs we chose. */
#include "kernel/link.h"

#include "kernel/message.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct nl_msg *link_message(int type, int flags, uint32_t ifindex)
{
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex };

	return message_new(type, flags, &header, sizeof(header));
}

/* What both ends of a veth and a macvlan have in common. */
static void put_end(struct nl_msg *m, const struct link_end *end, uint32_t mtu)
{
	message_put_text(m, IFLA_IFNAME, end->name);
	if (mac_is_set(&end->mac))
		message_put(m, IFLA_ADDRESS, end->mac.b, sizeof(end->mac.b));
	if (mtu)
		message_put_u32(m, IFLA_MTU, mtu);
	message_put_u32(m, IFLA_NUM_TX_QUEUES, 1);
	message_put_u32(m, IFLA_NUM_RX_QUEUES, 1);
}

void link_add_veth(struct batch *b, const struct link_end *end, const struct link_end *peer,
		   const struct netns *peer_ns, uint32_t mtu)
{
	struct nl_msg *m = link_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, end->ifindex);
	struct ifinfomsg peer_header = { .ifi_family = AF_UNSPEC, .ifi_index = (int)peer->ifindex };
	struct nlattr *info, *data, *peer_info;

	put_end(m, end, mtu);
	if (end->master)
		message_put_u32(m, IFLA_MASTER, end->master);
	info = message_nest(m, IFLA_LINKINFO);
	message_put_text(m, IFLA_INFO_KIND, "veth");
	data = message_nest(m, IFLA_INFO_DATA);
	peer_info = message_nest(m, VETH_INFO_PEER);
	if (m)
		nlmsg_append(m, &peer_header, sizeof(peer_header), NLMSG_ALIGNTO);
	put_end(m, peer, mtu);
	message_put_u32(m, IFLA_NET_NS_FD, (uint32_t)peer_ns->fd);
	message_nest_end(m, peer_info);
	message_nest_end(m, data);
	message_nest_end(m, info);
	batch_add(b, m, TOLERATE_NOTHING);
}

uint32_t link_macvlan_mode(unsigned index)
{
	static const uint32_t modes[] = { MACVLAN_MODE_BRIDGE, MACVLAN_MODE_PRIVATE,
					  MACVLAN_MODE_VEPA, MACVLAN_MODE_PASSTHRU };

	return modes[index % ARRAY_SIZE(modes)];
}

void link_add_macvlan(struct batch *b, const struct link_end *end, const struct link_macvlan *of,
		      const struct netns *ns, uint32_t tolerate)
{
	struct nl_msg *m = link_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, end->ifindex);
	struct nlattr *info, *data;

	put_end(m, end, of->mtu);
	message_put_u32(m, IFLA_LINK, of->master_ifindex);
	if (ns)
		message_put_u32(m, IFLA_NET_NS_FD, (uint32_t)ns->fd);
	info = message_nest(m, IFLA_LINKINFO);
	message_put_text(m, IFLA_INFO_KIND, "macvlan");
	data = message_nest(m, IFLA_INFO_DATA);
	message_put_u32(m, IFLA_MACVLAN_MODE, of->mode);
	message_nest_end(m, data);
	message_nest_end(m, info);
	batch_add(b, m, tolerate);
}

void link_add_bridge(struct batch *b, const struct link_end *end, uint32_t mtu, uint32_t tolerate)
{
	struct nl_msg *m = link_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, end->ifindex);
	const struct br_boolopt_multi no_learning = { .optval = 1U << BR_BOOLOPT_NO_LL_LEARN,
						      .optmask = 1U << BR_BOOLOPT_NO_LL_LEARN };
	struct nlattr *info, *data;

	put_end(m, end, mtu);
	info = message_nest(m, IFLA_LINKINFO);
	message_put_text(m, IFLA_INFO_KIND, "bridge");
	data = message_nest(m, IFLA_INFO_DATA);
	message_put(m, IFLA_BR_MULTI_BOOLOPT, &no_learning, sizeof(no_learning));
	message_nest_end(m, data);
	message_nest_end(m, info);
	batch_add(b, m, tolerate);
}

static void link_bridge_port(struct nl_msg *m, const struct link_settings *s)
{
	struct nlattr *info = message_nest(m, IFLA_LINKINFO), *data;

	message_put_text(m, IFLA_INFO_SLAVE_KIND, "bridge");
	data = message_nest(m, IFLA_INFO_SLAVE_DATA);
	message_put_u8(m, IFLA_BRPORT_MODE, s->hairpin);
	message_put_u8(m, IFLA_BRPORT_ISOLATED, s->isolated);
	message_nest_end(m, data);
	message_nest_end(m, info);
}

static void link_no_link_local(struct nl_msg *m)
{
	struct nlattr *spec = message_nest(m, IFLA_AF_SPEC);
	struct nlattr *inet6 = message_nest(m, AF_INET6);

	message_put_u8(m, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	message_nest_end(m, inet6);
	message_nest_end(m, spec);
}

void link_set(struct batch *b, uint32_t ifindex, const struct link_settings *s)
{
	unsigned flags = (s->up ? IFF_UP : 0) | (s->promiscuous ? IFF_PROMISC : 0) |
			 (s->no_arp ? IFF_NOARP : 0);
	struct ifinfomsg up = { .ifi_family = AF_UNSPEC,
				.ifi_index = (int)ifindex,
				.ifi_flags = flags,
				.ifi_change = flags };

	if (s->hairpin || s->isolated) {
		struct nl_msg *m = link_message(RTM_NEWLINK, 0, ifindex);

		link_bridge_port(m, s);
		batch_add(b, m, TOLERATE_NOTHING);
	}
	/* Apart from "up": the kernel works off IFLA_AF_SPEC after the flags of one message. */
	if (s->alias || s->no_link_local) {
		struct nl_msg *m = link_message(RTM_SETLINK, 0, ifindex);

		if (s->alias)
			message_put(m, IFLA_IFALIAS, s->alias, strlen(s->alias));
		if (s->no_link_local)
			link_no_link_local(m);
		batch_add(b, m, TOLERATE_NOTHING);
	}
	if (flags)
		batch_add(b, message_new(RTM_SETLINK, 0, &up, sizeof(up)), TOLERATE_NOTHING);
}

static void link_arp_notify(struct nl_msg *m)
{
	struct nlattr *spec = message_nest(m, IFLA_AF_SPEC);
	struct nlattr *inet = message_nest(m, AF_INET);
	struct nlattr *conf = message_nest(m, IFLA_INET_CONF);

	message_put_u32(m, IPV4_DEVCONF_ARP_NOTIFY, 1);
	message_nest_end(m, conf);
	message_nest_end(m, inet);
	message_nest_end(m, spec);
}

/* Two messages: the kernel works off IFLA_AF_SPEC after the MAC of one. */
void link_announce(struct batch *b, uint32_t ifindex, const struct mac *mac)
{
	struct nl_msg *notify = link_message(RTM_SETLINK, 0, ifindex);
	struct nl_msg *again = link_message(RTM_SETLINK, 0, ifindex);

	link_arp_notify(notify);
	batch_add(b, notify, TOLERATE_NOTHING);
	message_put(again, IFLA_ADDRESS, mac->b, sizeof(mac->b));
	batch_add(b, again, TOLERATE_NOTHING);
}

void link_sync(struct batch *b, uint32_t ifindex)
{
	struct nl_msg *msg = link_message(RTM_GETLINK, 0, ifindex);

	message_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS); /* nobody reads the answer */
	batch_add(b, msg, TOLERATE_ABSENT);
}

void link_del(struct batch *b, uint32_t ifindex, uint32_t tolerate)
{
	batch_add(b, link_message(RTM_DELLINK, 0, ifindex), tolerate);
}

void link_set_group(struct batch *b, uint32_t ifindex, uint32_t group)
{
	struct nl_msg *msg = link_message(RTM_SETLINK, 0, ifindex);

	if (msg)
		nla_put_u32(msg, IFLA_GROUP, group);
	batch_add(b, msg, TOLERATE_ABSENT);
}

void link_del_group(struct batch *b, uint32_t group)
{
	struct nl_msg *msg = link_message(RTM_DELLINK, 0, 0);

	if (msg)
		nla_put_u32(msg, IFLA_GROUP, group);
	batch_add(b, msg, TOLERATE_ABSENT);
}

int link_raise_loopback(const struct netns *ns, const struct netns *host, struct err *e)
{
	const struct link_settings up = { .up = true };
	struct batch *b = calloc(1, sizeof(*b));
	struct netlink nl = NETLINK_CLOSED;
	struct batch_failure failure;
	int r;

	if (!b)
		return err_sys(e, ERR_KERNEL, ENOMEM, "lo");
	r = netlink_open(NETLINK_ROUTE, ns, host, &nl, e);
	if (r == 0) {
		link_set(b, LOOPBACK_INDEX, &up);
		r = batch_send(b, &nl, &failure, e);
	}
	netlink_close(&nl);
	free(b);
	return r;
}

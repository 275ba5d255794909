/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnetlink requests about links. Builders append to a batch; queries ask at once. */
#ifndef KERNEL_LINK_H
#define KERNEL_LINK_H

#include "base/ip.h"
#include "kernel/netlink.h"

struct link_end {
	const char *name;
	uint32_t ifindex; /* chosen by us: nothing need be looked up afterwards */
	struct mac mac;
	uint32_t master; /* bridge that it is born into; 0: none */
};

/*
 * link_add_veth: both ends in one message, down, one queue each way; @peer is born in @peer_ns.
 * (One queue: veth otherwise allocates one per CPU and gives them back under RTNL.)
 */
void link_add_veth(struct batch *b, const struct link_end *end, const struct link_end *peer,
		   const struct netns *peer_ns, uint32_t mtu);

struct link_macvlan {
	uint32_t master_ifindex;
	uint32_t mode; /* MACVLAN_MODE_* */
	uint32_t mtu;  /* 0: the master's */
};

/* link_add_macvlan: down, born in @ns (NULL: where the socket is). */
void link_add_macvlan(struct batch *b, const struct link_end *end, const struct link_macvlan *of,
		      const struct netns *ns, uint32_t tolerate);

/* MACVLAN_MODE_* of linux/if_link.h by index of macvlan_mode_names. */
uint32_t link_macvlan_mode(unsigned index);

struct link_settings {
	const char *alias;  /* NULL: leave */
	bool no_link_local; /* IPv6 addr_gen_mode none */
	bool no_arp;        /* neither asks nor answers, and makes no entry for who asks */
	bool up;
	bool promiscuous;
	bool hairpin, isolated; /* of a bridge port */
};
void link_set(struct batch *b, uint32_t ifindex, const struct link_settings *s);

/*
 * link_announce: have the kernel tell the neighbours who has the addresses of @ifindex: by ARP, and
 * where the sysctl ndisc_notify is on, by neighbour advertisement. It does so when a link that is
 * up is given a MAC; here the one it has.
 */
void link_announce(struct batch *b, uint32_t ifindex, const struct mac *mac);

/*
 * link_add_bridge: down, with a MAC of its own, so that it does not change with its ports. It
 * learns nothing from frames that bridges do not forward, because no rule sees those.
 */
void link_add_bridge(struct batch *b, const struct link_end *end, uint32_t mtu, uint32_t tolerate);

/* link_sync: a RTM_GETLINK whose answer is thrown away: it makes the kernel activate the queue of a
 * link that has just come up (linkwatch_sync_dev), so that the first packet is not lost. */
void link_sync(struct batch *b, uint32_t ifindex);

/*
 * link_carrier_pending: of IFF_*: the link has a carrier, and the kernel's link watch has not seen
 * it yet. Until then the link has no queue, and as a port of a bridge it does not forward.
 */
bool link_carrier_pending(uint32_t flags);

/*
 * link_await: wait while the carrier of @ifindex is pending. Since Linux 6.8 the question alone
 * ends that, before it a work queue does, mostly within 10 ms. A link without a carrier is not
 * waited for. Return: 0, also where a second was not enough or the link is gone, or a negative
 * errno.
 */
int link_await(struct netlink *nl, uint32_t ifindex, struct err *e);

void link_del(struct batch *b, uint32_t ifindex, uint32_t tolerate);

/*
 * Many at once: put them into a group that nobody else uses (a random number other than 0), then
 * delete the group. The kernel waits out its grace periods once for all of them: 200 take 70 ms,
 * alone 20 each.
 */
void link_set_group(struct batch *b, uint32_t ifindex, uint32_t group);
void link_del_group(struct batch *b, uint32_t group);

#define LOOPBACK_INDEX 1 /* of lo, in every namespace */

/*
 * link_raise_loopback: lo of the namespace @ns up; for who makes a namespace and has no plan.
 * @host: the namespace of the caller, who is back there afterwards.
 * Return: 0, or a negative errno.
 */
int link_raise_loopback(const struct netns *ns, const struct netns *host, struct err *e);

/* link_name_fault: why no interface can bear the name: "has white space"; NULL: one can. */
const char *link_name_fault(const char *name);

struct link_info {
	uint32_t ifindex, master, link, mtu, flags;
	char name[16];
	char kind[16]; /* "veth", "bridge", …; empty for hardware */
	char alias[64];
	struct mac mac;
	bool elsewhere; /* of a pair: the other end is in another namespace, which lives */
	bool hairpin, isolated; /* of a bridge port */
	uint8_t port_state;     /* of a bridge port: BR_STATE_* of linux/if_bridge.h */
	uint32_t macvlan_mode;  /* of a macvlan: MACVLAN_MODE_* */
};

/* link_has_ports: Return 1 if some link has @ifindex as its master, 0 if none, or a negative errno.
 */
int link_has_ports(struct netlink *nl, uint32_t ifindex, struct err *e);

/*
 * link_bridge_vlans: can bridges of this kernel filter VLANs? Asked without a bridge; where the
 * bridge module is not loaded, the answer is no. Return: 1, 0, or a negative errno.
 */
int link_bridge_vlans(struct netlink *nl, struct err *e);

/*
 * link_kind_known: does the kernel know "veth", "bridge", "macvlan" or "ifb", or load the module? It is
 * asked for one with a MAC that no link may have, so none is made. Return: 1, 0, or a negative errno.
 */
int link_kind_known(struct netlink *nl, const char *kind, struct err *e);

/* Both: Return 0, 1 if there is no such link, or a negative errno. */
int link_by_index(struct netlink *nl, uint32_t ifindex, struct link_info *ret, struct err *e);
int link_by_name(struct netlink *nl, const char *name, struct link_info *ret, struct err *e);

/* link_list: all links, by index. @ret: the caller frees it; NULL where there are none. */
int link_list(struct netlink *nl, struct link_info **ret, size_t *ret_n, struct err *e);

#endif

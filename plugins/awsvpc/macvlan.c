/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * awsvpc, attach: macvlan. The task's interface is a macvlan of `master`: it sits on the real LAN
 * with a MAC of its own, and the LAN's router is its gateway. The host takes no part in its
 * traffic, so it can neither guard it nor reach it, unless hostAccess gives the host a macvlan too:
 *
 *   task eth0 (macvlan) ──┐
 *                         ├── master ── LAN
 *   host tvh… (macvlan) ──┘        10.0.1.4 dev tvh… src <the host's LAN address>
 */
#include "awsvpc.h"
#include "mode/refuse.h"
#include "mode/source.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int find_master(struct netlink *nl, const struct awsvpc_conf *own, struct link_info *ret,
		       struct err *e)
{
	struct route_uplink uplink;
	int r;

	if (own->master[0])
		r = strlen(own->master) < IFNAME_TEXT ? link_by_name(nl, own->master, ret, e) : 1;
	else {
		r = route_uplink_find(nl, AF_INET, &uplink, e);
		if (r == 0)
			r = uplink.ifindex ? link_by_index(nl, uplink.ifindex, ret, e) : 1;
	}
	if (r < 0 || (r == 0 && !(ret->flags & IFF_LOOPBACK)))
		return r;
	if (r == 0)
		err_set(e, ERR_CONFIG, 0, "master: \"%s\" is the loopback interface", ret->name);
	else
		err_set(e, ERR_CONFIG, 0, "master: the host has no interface \"%s\"",
			own->master[0] ? own->master : "(that of the default route)");
	err_hint(e, "name the host's interface on the LAN, as `ip link` shows it");
	return -EINVAL;
}

static int judge_mtu(const struct netconf *c, const struct link_info *master, struct err *e)
{
	if (c->mtu <= master->mtu)
		return 0;
	err_set(e, ERR_CONFIG, 0, "mtu: %u is more than the %u of the master \"%s\"", c->mtu,
		master->mtu, master->name);
	err_hint(e, "leave mtu out to take the master's");
	return -EINVAL;
}

/* A port of these gives all that it receives to them: the kernel says "busy" to a macvlan of it. */
static int judge_port(struct netlink *nl, const struct link_info *master, struct err *e)
{
	static const char *const takers[] = { "bridge", "bond", "team", "openvswitch" };
	struct link_info of;
	int r = master->master ? link_by_index(nl, master->master, &of, e) : 1;

	if (r != 0)
		return r < 0 ? r : 0;
	for (size_t i = 0; i < ARRAY_SIZE(takers); i++) {
		if (strcmp(of.kind, takers[i]) != 0)
			continue;
		err_set(e, ERR_CONFIG, 0, "master: \"%s\" is a port of the %s \"%s\"", master->name,
			of.kind, of.name);
		err_hint(e, "name \"%s\" itself as the master", of.name);
		return -EINVAL;
	}
	return 0;
}

/* The master, if it can bear what is configured. */
static int look(const struct netconf *c, struct netlink *nl, struct link_info *ret, struct err *e)
{
	int r = find_master(nl, (const void *)c->own, ret, e);

	if (r == 0)
		r = judge_mtu(c, ret, e);
	return r < 0 ? r : judge_port(nl, ret, e);
}

static int macvlan_judge(const struct netconf *c, struct err *e)
{
	const struct awsvpc_conf *own = (const void *)c->own;
	int r;

	if (own->host_access && strcmp(macvlan_mode_names[own->macvlan_mode], "passthru") == 0) {
		err_set(e, ERR_CONFIG, 0, "hostAccess: true cannot go with mode: \"passthru\"");
		err_hint(e, "passthru gives the master to one task alone: use mode bridge");
		return -EINVAL;
	}
	if (own->host_access && strcmp(macvlan_mode_names[own->macvlan_mode], "private") == 0) {
		err_set(e, ERR_CONFIG, 0, "hostAccess: true cannot go with mode: \"private\"");
		err_hint(e,
			 "a private macvlan reaches no other of its master, nor that of the host: "
			 "use mode bridge");
		return -EINVAL;
	}
	if (own->host_routing != HOST_ROUTING_STACK) {
		err_set(e, ERR_CONFIG, 0,
			"hostRouting: \"bpf\" cannot go with attach: \"macvlan\"");
		err_hint(e, "the host does not route for a macvlan: leave hostRouting out");
		return -EINVAL;
	}
	if (own->guard_mark) {
		err_set(e, ERR_CONFIG, 0, "guardMark: %u cannot go with attach: \"macvlan\"",
			own->guard_mark);
		err_hint(e, "the host does not route for a macvlan: leave guardMark out");
		return -EINVAL;
	}
	if (own->masquerade) {
		err_set(e, ERR_CONFIG, 0, "ipMasq: true cannot go with attach: \"macvlan\"");
		err_hint(e, "the LAN's router decides what leaves the VPC: leave ipMasq out");
		return -EINVAL;
	}
	if (nat_is_set(&own->nat)) {
		err_set(e, ERR_CONFIG, 0,
			"masqueradePortRange, maxFlows, maxFlowsPerDestination and protectedPorts "
			"cannot go with attach: \"macvlan\"");
		err_hint(e, "the host neither translates nor counts what a macvlan sends: leave "
			    "them out");
		return -EINVAL;
	}
	r = mode_refuse_bandwidth(c, "awsvpc",
				  "use attach: veth with the plugin bandwidth behind it", e);
	return r < 0 ? r : awsvpc_judge(c, e);
}

static int macvlan_resolve(const struct netconf *c, struct plan_io *io, struct attachment *a,
			   struct err *e)
{
	const struct awsvpc_conf *own = (const void *)c->own;
	struct link_info master = { .ifindex = 0 };
	struct netlink *nl;
	int r = plan_io_route(io, HOST, &nl, e);

	if (r == 0)
		r = look(c, nl, &master, e);
	if (r < 0)
		return r;
	text_copy(a->master, sizeof(a->master), master.name);
	a->master_ifindex = master.ifindex;
	a->macvlan_mode = own->macvlan_mode;
	a->mtu = c->mtu ? c->mtu : master.mtu;
	a->block_imds = own->block_imds;
	a->host_access = own->host_access;
	return own->host_access ? awsvpc_find_host(nl, a, e) : 0;
}

/* The kernel announces an address when its link comes up: gratuitous ARP, unsolicited NA. */
static void plan_announcements(struct plan *p, int link)
{
	const char *ifname = p->a->ifname;

	if (attachment_has_family(p->a, AF_INET))
		plan_sysctl(p, link, TASK, "1", "net/ipv4/conf/%s/arp_notify", ifname);
	if (attachment_has_family(p->a, AF_INET6)) {
		plan_sysctl(p, link, TASK, "1", "net/ipv6/conf/%s/ndisc_notify", ifname);
		plan_sysctl(p, link, TASK, "0", "net/ipv6/conf/%s/accept_dad", ifname);
	}
}

/* The host's routes to the task do not die with the task's link. */
static bool macvlan_link_first(const struct attachment *a)
{
	return !a->host_access;
}

static void macvlan_plan(const struct attachment *a, struct plan *p)
{
	const struct link_end end = { a->ifname, a->ifindex, a->mac, 0 };
	const struct ifref dev = { a->ifname, a->ifindex }, lo = { "lo", 1 };
	const struct macvlan_of of = { a->master, a->master_ifindex, a->macvlan_mode, a->mtu };
	const struct link_settings up = { .up = true }, named = { .alias = a->eni_id, .up = true };
	int link;

	plan_init(p, a);
	if (a->host_access)
		plan_flows_end(p);
	if (a->netns_created)
		plan_netns(p);
	if (a->host_access)
		awsvpc_plan_host_access(p);
	link = plan_macvlan(p, TASK, &end, &of);
	plan_task_ipv6(p, link, TASK, a->ifname);
	plan_announcements(p, link);
	plan_task_arp(p, link);
	plan_share(p, plan_link(p, link, TASK, &lo, &up));
	for (unsigned i = 0; i < a->n_addresses; i++)
		plan_addr(p, link, TASK, &dev, &a->addresses[i].cidr,
			  (struct addr_how){ .detect = false });
	plan_link(p, link, TASK, &dev, &named);
	if (a->ipam[0] && !a->n_addresses)
		plan_source_unknown(p);
	plan_task_routes(p, link, &dev, true);
	awsvpc_plan_host_neighbours(p, link, &dev);
	/* Addresses of a foreign IPAM plugin come when the link is up already. */
	if (a->ipam[0] && a->n_addresses && macvlan_link_first(a))
		plan_announce(p, link, &dev, &a->mac);
	if (a->block_imds)
		awsvpc_plan_imds(p);
}

static int macvlan_accept(const struct attachment *a, struct err *e)
{
	int r = task_accept_gateways(a, e);

	return r < 0 ? r : awsvpc_accept(a, e);
}

const struct mode mode_macvlan = {
	.name = "awsvpc-macvlan",
	.help = "A macvlan of an interface of the host: the task sits on the real LAN.",
	.fields = awsvpc_fields,
	.reserve = RESERVE_AWS,
	.has_interface = true,
	.judge = macvlan_judge,
	.resolve = macvlan_resolve,
	.accept = macvlan_accept,
	.plan = macvlan_plan,
	.link_first = macvlan_link_first,
};

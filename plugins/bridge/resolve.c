/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must be known before planning: the bridge as it is, and what the addresses allow. */
#include "bridge.h"

#include "base/io.h"
#include "mode/forward.h"
#include "mode/task.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define OUR_INDEXES 0x40000000U /* from here on, indexes of what is shared come from names */

/*
 * A bridge of ours is known by its index, which comes from its name. Its MAC is fixed, because a
 * bridge otherwise takes that of its lowest port, and changes it as ports come and go; it differs
 * from host to host and from boot to boot.
 */
static void name_bridge(struct attachment *a)
{
	uint64_t h = hash_text(HASH_START, a->bridge);
	char boot[64] = "";

	a->bridge_ifindex = OUR_INDEXES | (uint32_t)(h >> 32 & 0x3fffffff);
	io_read_text("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
	h = hash_text(h, boot);
	memcpy(a->bridge_mac.b, &h, sizeof(a->bridge_mac.b));
	a->bridge_mac.b[0] = 0x0e;
}

/* Return: 0, 1 if there is no such link, or a negative errno. */
static int ask_bridge(struct netlink *nl, const char *name, struct link_info *ret, struct err *e)
{
	int r = link_by_name(nl, name, ret, e);

	if (r != 0 || strcmp(ret->kind, "bridge") == 0)
		return r;
	err_set(e, ERR_CONFIG, 0, "bridge: the interface \"%s\" exists and is no bridge", name);
	err_hint(e, "choose another name, or remove that interface");
	return -EINVAL;
}

/* Whose fault it is decides what helps: another kernel would, or would not. */
static int refuse_vlan(struct netlink *nl, uint32_t vlan, struct err *e)
{
	int r = vlan ? link_bridge_vlans(nl, e) : 0;

	if (!vlan || r < 0)
		return r;
	err_set(e, ERR_CONFIG, 0, "vlan: %u: %s", vlan,
		r ? "task-bridge puts no port into a VLAN"
		  : "this kernel has no VLAN filtering of bridges (CONFIG_BRIDGE_VLAN_FILTERING)");
	err_hint(e, "leave vlan out and use a bridge per VLAN: make it with the VLAN's interface "
		    "as its port, and name it in bridge");
	return -EINVAL;
}

/* The bridge of the configuration as it is. Return: as ask_bridge. */
static int look(const struct netconf *c, struct plan_io *io, struct link_info *ret, struct err *e)
{
	const struct bridge_conf *own = bridge_conf(c);
	struct netlink *nl;
	int r = plan_io_route(io, HOST, &nl, e);

	if (r == 0)
		r = refuse_vlan(nl, own->vlan, e);
	return r < 0 ? r : ask_bridge(nl, own->bridge, ret, e);
}

/* An address that is not remembered as another's would go with us. */
static int refuse_crowd(const struct attachment *a, struct err *e)
{
	err_set(e, ERR_CONFIG, 0, "bridge: \"%s\" has more than %zu addresses that others gave it",
		a->bridge, ARRAY_SIZE(a->bridge_had));
	err_hint(e, "use another bridge, or leave its addresses to others: isGateway: false");
	return -EINVAL;
}

/* The bridge that is there, ours or another's, and what addresses others have given it. */
static int take_bridge(const struct link_info *link, struct plan_io *io, struct attachment *a,
		       struct err *e)
{
	struct netlink *nl;
	int r = plan_io_route(io, HOST, &nl, e);

	a->bridge_foreign = link->ifindex != a->bridge_ifindex;
	a->bridge_ifindex = link->ifindex;
	a->bridge_mac = link->mac;
	a->bridge_mtu = a->bridge_foreign ? link->mtu : 0;
	if (r < 0)
		return r;
	r = addr_list(nl, link->ifindex, a->bridge_had, ARRAY_SIZE(a->bridge_had), &a->n_bridge_had,
		      e);
	return r == 1 && a->bridge_gateway ? refuse_crowd(a, e) : r;
}

static bool limits(const struct bandwidth *b)
{
	return b->ingress_rate || b->egress_rate || b->ingress_burst || b->egress_burst;
}

/* The operator's limit is none that a task could ask away. */
static const struct bandwidth *choose_bandwidth(const struct netconf *c)
{
	const struct bandwidth *fixed = &bridge_conf(c)->bandwidth;

	return limits(fixed) ? fixed : &c->bandwidth;
}

static void take_settings(const struct netconf *c, struct attachment *a)
{
	const struct bridge_conf *own = bridge_conf(c);
	bool closed = strcmp(ingress_policy_names[own->ingress_policy], "isolated") == 0;

	a->bridge_gateway = own->gateway || own->default_gateway;
	a->counted = true;
	a->refuse_unused = a->bridge_gateway; /* else the subnet is a LAN of others */
	a->default_routes = own->default_gateway ? DEFAULT_ALWAYS : DEFAULT_NEVER;
	a->force_address = own->force_address;
	a->masquerade = own->masquerade;
	a->bridge_promiscuous = own->promiscuous;
	/* With br_netfilter, what a task sends to its own published port is redirected inside the
	 * bridge, and comes back only through a port in hairpin mode. */
	a->port_hairpin = own->hairpin || (c->n_ports > 0 && !own->promiscuous);
	a->port_isolated = own->isolated || closed;
	a->masq_all = own->masq_all;
	a->no_snat = !own->snat;
	a->mac_check = own->mac_check;
	a->detect_duplicates = own->detect_duplicates;
	a->ingress_policy = own->ingress_policy;
	a->bandwidth = *choose_bandwidth(c);
	if (a->bandwidth.egress_rate)
		snprintf(a->ifb_ifname, sizeof(a->ifb_ifname), "ifb%.12s", a->eni_id + 4);
}

/*
 * There is none of the name. Of ours, somebody has renamed it: its tasks are on it, and the kernel
 * makes no second one of its index; or another ADD has made it since.
 * Return: 0 with *ret, 1 if there is none, or a negative errno.
 */
static int look_by_index(struct plan_io *io, const struct attachment *a, struct link_info *ret,
			 struct err *e)
{
	struct netlink *nl;
	int r = plan_io_route(io, HOST, &nl, e);

	if (r == 0)
		r = link_by_index(nl, a->bridge_ifindex, ret, e);
	if (r != 0 || strcmp(ret->name, a->bridge) == 0)
		return r;
	err_set(e, ERR_CONFIG, 0, "bridge: \"%s\" is now called \"%s\"", a->bridge, ret->name);
	err_hint(e, "call it \"%s\" again, or use another bridge", a->bridge);
	return -EINVAL;
}

int bridge_resolve(const struct netconf *c, struct plan_io *io, struct attachment *a, struct err *e)
{
	struct link_info link;
	int r = look(c, io, &link, e);

	if (r < 0)
		return r;
	text_copy(a->bridge, sizeof(a->bridge), bridge_conf(c)->bridge);
	name_bridge(a);
	take_settings(c, a);
	if (r == 1)
		r = look_by_index(io, a, &link, e);
	if (r == 0)
		r = take_bridge(&link, io, a, e);
	if (r >= 0)
		r = mode_mtu(c, io, &a->mtu, e);
	if (r == 0 && a->bridge_gateway)
		r = mode_ra_uplink(c, io, a->accept_ra_uplink, e);
	if (r == 0)
		r = nat_resolve(&bridge_conf(c)->nat, a->masquerade || c->n_ports, io, a, e);
	if (r == 0)
		r = bridge_judge_ranges(c, &a->nat, e);
	id_eni_ifname(a->eni_id, a->host_ifname);
	a->host_mac = id_eni_host_mac(a->eni_id);
	return r;
}

/* An address of the bridge in the gateway's subnet that is not the gateway. */
static int accept_had(const struct attachment *a, const struct cidr *want, struct err *e)
{
	char had[IP_TEXT], gateway[IP_TEXT];

	for (unsigned i = 0; i < a->n_bridge_had; i++) {
		if (cidr_equal(&a->bridge_had[i], want) || !cidr_overlap(&a->bridge_had[i], want))
			continue;
		err_set(e, ERR_CONFIG, 0,
			"bridge: \"%s\" already has the address %s, which differs from %s",
			a->bridge, cidr_text(&a->bridge_had[i], had), cidr_text(want, gateway));
		err_hint(e, "forceAddress: true takes %s away; or use another bridge or subnet",
			 had);
		return -EINVAL;
	}
	return 0;
}

/* Of the bridge as a gateway: it needs an address of its own in the task's subnet. */
static int accept_gateway(const struct attachment *a, const struct address *address, struct err *e)
{
	struct cidr want = { address->gateway, address->cidr.len };
	bool none = !ip_is_set(&want.ip);
	char text[IP_TEXT];

	if (!none && !attachment_has_address(a, &want.ip))
		return a->force_address ? 0 : accept_had(a, &want, e);
	err_set(e, ERR_CONFIG, 0, "isGateway: the task's address %s %s",
		cidr_text(&address->cidr, text),
		none ? "leaves the bridge none in its subnet" : "would be the bridge's as well");
	err_hint(e, "have ipam give the task another address, or name another gateway; or leave "
		    "isGateway and isDefaultGateway out");
	return -EINVAL;
}

int bridge_accept(const struct attachment *a, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i < a->n_addresses && r == 0 && a->bridge_gateway; i++)
		r = accept_gateway(a, &a->addresses[i], e);
	if (r == 0)
		r = task_accept_gateways(a, e);
	if (r == 0)
		r = bridge_accept_ports(a, e);
	return r < 0 ? r : task_accept_mtu(a, e);
}

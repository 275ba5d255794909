/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bridge a network.
 *
 *   task a eth0 ── vpc… ─┐
 *                        ├─ cni0 10.61.0.1/16 ── host, which forwards, masquerades, publishes ports
 *   task b eth0 ── vpc… ─┘
 */
#include "bridge.h"
#include "mode/bandwidth.h"
#include "mode/blocks.h"
#include "mode/forward.h"
#include "mode/ruleset.h"
#include "mode/task.h"

#include <string.h>
#include <sys/socket.h>

static bool has_policy(const struct attachment *a)
{
	return strcmp(ingress_policy_names[a->ingress_policy], "open") != 0;
}

/* Does the host forward for it? Else its packets stay on the bridge. */
static bool is_counted(const struct attachment *a)
{
	return a->counted && (a->bridge_gateway || a->masquerade || a->n_ports);
}

/* Also for records of earlier versions that relied on rules which the guard has now. */
static bool needs_guard(const struct attachment *a)
{
	return is_counted(a) || a->masquerade || a->n_ports;
}

static void plan_rulesets(struct plan *p)
{
	const struct attachment *a = p->a;

	if (needs_guard(a))
		plan_ruleset(p, &ruleset_guard);
	plan_nat(p);
	if (a->n_ports)
		plan_ruleset(p, &ruleset_publish);
	if (has_policy(a))
		plan_ruleset(p, &ruleset_policy);
	if (a->mac_check)
		plan_ruleset(p, &ruleset_frames);
}

/* Somebody else gave the bridge this address: it stays when we go. */
static bool was_there(const struct attachment *a, const struct cidr *gateway)
{
	for (unsigned i = 0; i < a->n_bridge_had; i++)
		if (cidr_equal(&a->bridge_had[i], gateway))
			return true;
	return false;
}

static void plan_gateways(struct plan *p, const struct ifref *bridge)
{
	const struct attachment *a = p->a;

	for (unsigned i = 0; i < a->n_addresses; i++) {
		struct cidr gateway = { a->addresses[i].gateway, a->addresses[i].cidr.len };

		if (!ip_is_set(&gateway.ip))
			continue;
		plan_share(p, plan_addr(p, -1, HOST, bridge, &gateway,
					(struct addr_how){ .stays = was_there(a, &gateway) }));
	}
	if (a->refuse_unused)
		plan_unreachable(p);
	plan_forwarding(p);
}

/*
 * The bridge refuses router advertisements. It has a link-local address, at once: the kernel asks
 * for a task's MAC with it as the source when it forwards what comes from elsewhere.
 */
static void plan_bridge_ipv6(struct plan *p)
{
	static const char *const off[] = { "accept_ra", "accept_dad" };

	if (p->a->mtu < IPV6_MTU_MIN)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(off); i++)
		plan_share(p, plan_sysctl(p, -1, HOST, "0", "net/ipv6/conf/%s/%s", p->a->bridge,
					  off[i]));
}

/* The bridge, shared by all that are on it. One that others made is used, and left as it is. */
static void plan_shared_bridge(struct plan *p, const struct ifref *bridge)
{
	const struct attachment *a = p->a;
	const struct link_end end = { a->bridge, a->bridge_ifindex, a->bridge_mac, 0 };
	const struct link_settings up = { .up = true, .promiscuous = a->bridge_promiscuous };

	if (!a->bridge_foreign) {
		plan_bridge(p, &end, a->mtu);
		plan_bridge_ipv6(p);
	}
	plan_share(p, plan_link(p, -1, HOST, bridge, &up));
	if (a->bridge_gateway)
		plan_gateways(p, bridge);
	/* So that the host reaches published ports by 127.0.0.1; the rules let nobody else use it.
	 */
	if (a->n_ports && !a->no_snat && attachment_has_family(a, AF_INET))
		plan_localnet(p, bridge);
}

static void plan_elements(struct plan *p)
{
	const struct attachment *a = p->a;

	if (has_policy(a))
		plan_policy(p, a->bridge_ifindex);
	if (a->mac_check)
		plan_frames(p, a->ifindex);
	if (is_counted(a))
		plan_bridge_guard(p, a->bridge_ifindex);
	plan_protected(p);
	if (a->masquerade)
		plan_masquerade(p);
	if (a->n_ports)
		plan_publish(p);
}

static void plan_host_end(struct plan *p, int veth)
{
	const struct attachment *a = p->a;
	const struct ifref dev = { a->host_ifname, a->ifindex };
	const struct link_settings set = { .alias = a->eni_id,
					   .up = true,
					   .hairpin = a->port_hairpin,
					   .isolated = a->port_isolated };

	/* A bridge port is no IPv6 host: link-locals here would make every ADD pay for all tasks.
	 */
	if (a->mtu >= IPV6_MTU_MIN)
		plan_sysctl(p, veth, HOST, "1", "net/ipv6/conf/%s/disable_ipv6", a->host_ifname);
	plan_link(p, veth, HOST, &dev, &set);
	plan_bandwidth(p, veth, &dev);
}

/*
 * Who knows an address with the MAC of a task that had it before must hear of the new one. The
 * kernel hands that to every port in turn, which with many tasks takes longer than all else, so an
 * address that nobody can know is not announced.
 */
static bool may_be_known(const struct attachment *a)
{
	return a->n_addresses && (a->bridge_foreign || !a->new_addresses);
}

static void plan_task_end(struct plan *p, int veth)
{
	const struct attachment *a = p->a;
	const struct ifref dev = { a->ifname, a->ifindex }, lo = { "lo", 1 };
	const struct link_settings up = { .up = true };
	bool v6 = attachment_has_family(a, AF_INET6);

	plan_task_ipv6(p, veth, TASK, a->ifname);
	plan_task_arp(p, veth);
	if (v6 && !a->detect_duplicates)
		plan_sysctl(p, veth, TASK, "0", "net/ipv6/conf/%s/accept_dad", a->ifname);
	plan_share(p, plan_link(p, veth, TASK, &lo, &up));
	plan_link(p, veth, TASK, &dev, &up);
	for (unsigned i = 0; i < a->n_addresses; i++)
		plan_addr(p, veth, TASK, &dev, &a->addresses[i].cidr,
			  (struct addr_how){ .detect = a->detect_duplicates });
	for (unsigned i = 0; i < a->n_addresses && a->detect_duplicates; i++)
		if (a->addresses[i].cidr.ip.family == AF_INET6)
			plan_settle(p, veth, TASK, &dev, &a->addresses[i].cidr);
	plan_task_routes(p, veth, &dev, true);
	if (v6)
		plan_sysctl(p, veth, TASK, "1", "net/ipv6/conf/%s/ndisc_notify", a->ifname);
	if (may_be_known(a))
		plan_announce(p, veth, &dev, &a->mac);
}

/*
 * What overlaps with the gateway's subnet and is not the gateway goes. In IPv4 the kernel takes
 * those along that came later into the same subnet, so the gateway's address comes again.
 */
static void plan_replace(struct plan *p, const struct ifref *bridge, const struct cidr *gateway)
{
	const struct attachment *a = p->a;
	unsigned had = p->n;

	for (unsigned i = 0; i < a->n_bridge_had; i++)
		if (!cidr_equal(&a->bridge_had[i], gateway) &&
		    cidr_overlap(&a->bridge_had[i], gateway))
			plan_share(p, plan_addr(p, -1, HOST, bridge, &a->bridge_had[i],
						(struct addr_how){ .gone = true }));
	if (p->n > had)
		plan_share(p, plan_addr(p, -1, HOST, bridge, gateway,
					(struct addr_how){ .again = true }));
}

/* forceAddress: last, because what others gave the bridge is not ours to give back: nothing that
 * can fail comes after it. */
static void plan_force_address(struct plan *p, const struct ifref *bridge)
{
	const struct attachment *a = p->a;

	for (unsigned i = 0; i < a->n_addresses; i++) {
		struct cidr gateway = { a->addresses[i].gateway, a->addresses[i].cidr.len };

		if (a->bridge_gateway && a->force_address && ip_is_set(&gateway.ip))
			plan_replace(p, bridge, &gateway);
	}
}

void bridge_plan(const struct attachment *a, struct plan *p)
{
	const struct link_end host = { a->host_ifname, a->ifindex, a->host_mac, a->bridge_ifindex };
	const struct link_end task = { a->ifname, a->ifindex, a->mac, 0 };
	const struct ifref bridge = { a->bridge, a->bridge_ifindex };
	int veth;

	plan_init(p, a);
	plan_flows_end(p);
	if (a->netns_created)
		plan_netns(p);
	plan_rulesets(p);
	plan_shared_bridge(p, &bridge);
	plan_elements(p);
	veth = plan_veth(p, &host, &task, a->mtu);
	plan_host_end(p, veth);
	plan_task_end(p, veth);
	plan_force_address(p, &bridge);
}

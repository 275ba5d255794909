/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * awsvpc, attach: veth. Routed, no bridge: the host is the VPC router.
 *
 *   task                                  host
 *   eth0 10.0.1.4/24, MAC 02:…      vpc… MAC 06:…, no address
 *   10.0.1.1 dev eth0               10.0.1.4 dev vpc… src 10.0.1.1   (one /32 a task)
 *   default via 10.0.1.1            local 10.0.1.1 dev lo    (the gateway answers everywhere)
 *   10.0.1.1 is at 06:…             10.0.1.4 is at 02:…      (written, never learned)
 *
 * The address has its subnet's prefix length but no connected route: a task of the same subnet is
 * reached by the gateway like any other. So tasks share no layer 2, there is no ARP to spoof, and
 * every packet passes the host, where the guard (and later, policy) stands.
 */
#include "awsvpc.h"
#include "mode/blocks.h"
#include "mode/forward.h"
#include "mode/refuse.h"
#include "mode/ruleset.h"
#include "mode/second_line.h"

#include "kernel/bpf.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static bool is_own_gateway(const struct attachment *a, const struct ip *gw)
{
	for (unsigned i = 0; i < a->n_addresses; i++) {
		struct ip own = address_gateway(&a->addresses[i]);

		if (ip_equal(&own, gw))
			return true;
	}
	return false;
}

static void routed_defaults(void *own)
{
	((struct awsvpc_conf *)own)->guard_mark = GUARD_MARK;
}

static int routed_judge(const struct netconf *c, struct err *e)
{
	const struct awsvpc_conf *own = (const void *)c->own;
	int r = mode_refuse_bandwidth(c, "awsvpc",
				      own->host_routing == HOST_ROUTING_BPF
					      ? "use task-bridge"
					      : "chain the reference plugin bandwidth behind it",
				      e);

	if (r < 0)
		return r;
	if (own->masquerade && own->vpc.n_cidr == 0) {
		err_set(e, ERR_CONFIG, 0,
			"ipMasq: true needs vpc.cidr to know what leaves the VPC");
		err_hint(e,
			 "add \"vpc\": {\"cidr\": \"10.0.0.0/16\"} with the block of your subnets");
		return -EINVAL;
	}
	r = second_line_judge(own->guard_mark, e);
	return r < 0 ? r : awsvpc_judge(c, e);
}

static int routed_resolve(const struct netconf *c, struct plan_io *io, struct attachment *a,
			  struct err *e)
{
	const struct awsvpc_conf *own = (const void *)c->own;
	int r = mode_mtu(c, io, &a->mtu, e);

	if (r == 0)
		r = mode_ra_uplink(c, io, a->accept_ra_uplink, e);
	if (r == 0)
		r = nat_resolve(&own->nat, own->masquerade, io, a, e);
	id_eni_ifname(a->eni_id, a->host_ifname);
	a->host_mac = id_eni_host_mac(a->eni_id);
	a->masquerade = own->masquerade;
	a->block_imds = own->block_imds;
	a->host_routing = own->host_routing;
	a->guard_mark = own->guard_mark;
	a->host_is_gateway = true;
	a->counted = true;
	a->refuse_unused = true;
	a->n_vpc = own->vpc.n_cidr;
	memcpy(a->vpc, own->vpc.cidr, sizeof(a->vpc));
	return r;
}

/* The only neighbour is the host, which does no ARP: what is not sent to it goes nowhere. */
static int judge_route(const struct attachment *a, const struct route *r, struct err *e)
{
	char gw[IP_TEXT], dst[IP_TEXT];

	cidr_text(&r->dst, dst);
	if (ip_is_set(&r->gw) && !is_own_gateway(a, &r->gw)) {
		err_set(e, ERR_CONFIG, 0,
			"routes: the gateway %s of %s is not the subnet's gateway",
			ip_text(&r->gw, gw), dst);
		err_hint(e, "with attach: veth the host is the only next hop: leave out \"gw\"");
		return -EINVAL;
	}
	if (!ip_is_set(&r->gw) && r->has_scope && r->scope) {
		err_set(e, ERR_CONFIG, 0, "routes: the scope %u of %s leaves it without a gateway",
			r->scope, dst);
		err_hint(e, "with attach: veth the host is the only next hop: leave out \"scope\"");
		return -EINVAL;
	}
	return 0;
}

static int routed_accept(const struct attachment *a, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i < a->n_routes && r == 0; i++)
		r = judge_route(a, &a->routes[i], e);
	return r < 0 ? r : awsvpc_accept(a, e);
}

/*
 * The gateway becomes an address of the host. A neighbour's, as that of the LAN's router: the host
 * would answer for it to the whole LAN, and its own routes by that router would lead to itself.
 * Once it is the host's, be it by us, there is nothing to lose.
 */
static int judge_gateway(struct netlink *nl, const struct ip *gw, const struct cidr *of,
			 struct err *e)
{
	char text[IP_TEXT], subnet[IP_TEXT];
	const struct cidr net = { cidr_first(of), of->len };
	struct route_place place;
	int r = ip_is_link_local(gw) ? 1 : route_place_find(nl, gw, &place, e);

	if (r != 0 || place.where != PLACE_LINK)
		return r < 0 ? r : 0;
	ip_text(gw, text);
	err_set(e, ERR_CONFIG, 0,
		"the gateway %s of the subnet %s is a neighbour of the host on %s: the host would "
		"take its place",
		text, cidr_text(&net, subnet), place.ifname);
	err_hint(e,
		 "use a subnet that is on no LAN of the host, or attach: macvlan; if nobody there "
		 "has %s, give it to the host before: ip addr add %s/%u dev lo",
		 text, text, ip_bits(gw));
	return -EINVAL;
}

static int routed_consent(const struct attachment *a, struct plan_io *io, struct err *e)
{
	struct netlink *nl;
	int r = plan_io_route(io, HOST, &nl, e);

	for (unsigned i = 0; i < a->n_addresses && r == 0; i++) {
		const struct cidr *cidr = &a->addresses[i].cidr;
		struct ip gw = address_gateway(&a->addresses[i]);

		r = judge_gateway(nl, &gw, cidr, e);
	}
	return r;
}

/*
 * The host forwards, and answers for the gateways.
 * @routers: for each address, the step that makes its gateway an address of the host.
 */
static void plan_router(struct plan *p, int routers[static STORE_ADDRESSES])
{
	const struct ifref lo = { .name = "lo", .ifindex = LOOPBACK_INDEX };
	const struct link_settings up = { .up = true };
	const struct attachment *a = p->a;

	plan_forwarding(p);
	if (a->guard_mark && attachment_has_family(a, AF_INET))
		plan_valid_mark(p);
	plan_share(p, plan_link(p, -1, HOST, &lo, &up));
	for (unsigned i = 0; i < a->n_addresses; i++) {
		struct ip gw = address_gateway(&a->addresses[i]);
		struct route_spec local = { .dst = cidr_host(&gw), .type = ROUTE_LOCAL };

		routers[i] = plan_route(p, -1, HOST, &lo, &local);
		plan_share(p, routers[i]);
	}
	if (a->refuse_unused)
		plan_unreachable(p);
}

static void plan_host_end(struct plan *p, int veth, const struct ifref *dev)
{
	const struct attachment *a = p->a;
	const struct link_settings set = {
		.alias = a->eni_id,
		/* Link-locals on host ends make every ADD pay for the tasks already there. */
		.no_link_local = a->mtu >= IPV6_MTU_MIN,
		/* Both ends know each other's MAC. Else whoever asks would get an entry in a table
		 * that all namespaces share, for any address that it says is its own. */
		.no_arp = true,
		.up = true,
	};

	plan_second_line(p);
	plan_link(p, veth, HOST, dev, &set);
	for (unsigned i = 0; i < a->n_addresses; i++) {
		const struct ip *ip = &a->addresses[i].cidr.ip;
		struct route_spec to_task = { .dst = cidr_host(ip) };

		if (a->host_routing == HOST_ROUTING_BPF)
			to_task.priority = BPF_ROUTE_METRIC;
		/* The host speaks to its tasks as their gateway: it may have no other address.
		 * (IPv6 takes only an address of an interface as a route's source.) */
		if (ip->family == AF_INET)
			to_task.src = address_gateway(&a->addresses[i]);
		plan_neigh(p, veth, HOST, dev, ip, &a->mac);
		plan_route(p, veth, HOST, dev, &to_task);
	}
	if (a->host_routing == HOST_ROUTING_BPF) {
		plan_ingress(p, veth, dev);
		plan_bpf(p, veth, dev);
	}
}

static void plan_task_end(struct plan *p, int veth, const struct ifref *dev)
{
	const struct ifref lo = { .name = "lo", .ifindex = LOOPBACK_INDEX };
	const struct attachment *a = p->a;
	const struct link_settings up = { .up = true };
	/*
	 * The guard would drop what a link-local address sends: the gateway is all there is. Nor
	 * need router advertisements be refused here, by a sysctl that costs the more the more
	 * namespaces there are (the dentry cache tells them apart one by one): the only neighbour
	 * is the host.
	 */
	const struct link_settings task = { .no_link_local = a->mtu >= IPV6_MTU_MIN, .up = true };

	plan_share(p, plan_link(p, veth, TASK, &lo, &up));
	plan_link(p, veth, TASK, dev, &task);
	if (a->ipv6_off && attachment_has_family(a, AF_INET6))
		plan_sysctl(p, veth, TASK, "0", "net/ipv6/conf/%s/disable_ipv6", a->ifname);
	for (unsigned i = 0; i < a->n_addresses; i++) {
		struct ip gw = address_gateway(&a->addresses[i]);
		struct route_spec to_gw = { .dst = cidr_host(&gw), .priority = task_metric(a) };


		plan_addr(p, veth, TASK, dev, &a->addresses[i].cidr,
			  (struct addr_how){ .no_prefix_route = true });
		if (attachment_repeats_gateway(a, i))
			continue;
		plan_neigh(p, veth, TASK, dev, &gw, &a->host_mac);
		plan_route(p, veth, TASK, dev, &to_gw);
		to_gw.table = a->ifindex;
		to_gw.priority = 0;
		if (a->source_routed)
			plan_route(p, veth, TASK, dev, &to_gw);
	}
	plan_task_routes(p, veth, dev, false);
	if (a->block_imds)
		awsvpc_plan_imds(p);
}

static void routed_plan(const struct attachment *a, struct plan *p)
{
	const struct link_end host = { a->host_ifname, a->ifindex, a->host_mac, 0 };
	const struct link_end task = { a->ifname, a->ifindex, a->mac, 0 };
	const struct ifref host_dev = { a->host_ifname, a->ifindex };
	const struct ifref task_dev = { a->ifname, a->ifindex };
	int veth, routers[STORE_ADDRESSES];

	plan_init(p, a);
	plan_flows_end(p);
	if (a->netns_created)
		plan_netns(p);
	plan_ruleset(p, &ruleset_guard);
	plan_second_ruleset(p);
	plan_nat(p);
	plan_router(p, routers);
	/* The guard is up before the interface it guards, and so is undone after it. */
	plan_guard(p, a->ifindex);
	plan_no_publish(p, routers);
	plan_protected(p);
	if (a->masquerade)
		plan_masquerade(p);
	veth = plan_veth(p, &host, &task, a->mtu);
	plan_task_ipv6(p, veth, HOST, a->host_ifname);
	plan_host_end(p, veth, &host_dev);
	plan_task_end(p, veth, &task_dev);
}

/* An ADD that takes an address of such a subnet is refused. */
static int judge_gateways(const struct pool *p, struct plan_io *io, struct err *e)
{
	struct netlink *nl;
	int r = plan_io_route(io, HOST, &nl, e);

	for (unsigned s = 0; s < p->n_sets; s++)
		for (unsigned i = 0; i < p->sets[s].n_ranges && r == 0; i++)
			r = judge_gateway(nl, &p->sets[s].ranges[i].gateway,
					  &p->sets[s].ranges[i].subnet, e);
	if (r < 0)
		e->code = ERR_UNAVAILABLE;
	return r;
}

static int routed_status(const struct netconf *c, struct plan_io *io, struct text *warn,
			 struct err *e)
{
	const struct awsvpc_conf *own = (const void *)c->own;
	int r = mode_status_nft(c, NULL, io, warn, e);

	if (r == 0)
		r = judge_gateways(&c->pool, io, e);
	if (r == 0 && own->host_routing == HOST_ROUTING_BPF) {
		r = bpf_usable(e);
		if (r < 0)
			e->code = ERR_UNAVAILABLE;
	}
	return r;
}

const struct mode mode_routed = {
	.name = "awsvpc-veth",
	.help = "A veth pair routed by the host, which is the VPC router.",
	.fields = awsvpc_fields,
	.defaults = routed_defaults,
	.reserve = RESERVE_AWS,
	.needs_address = true,
	.has_interface = true,
	.judge = routed_judge,
	.resolve = routed_resolve,
	.accept = routed_accept,
	.consent = routed_consent,
	.plan = routed_plan,
	.status = routed_status,
};

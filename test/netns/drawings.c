/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drawings.h"

#include "mode/second_line.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void add_address(struct attachment *a, const char *cidr)
{
	struct address *address = &a->addresses[a->n_addresses++];
	struct route *route = &a->routes[a->n_routes++];
	struct ip first;

	if (!cidr_parse(cidr, &address->cidr))
		abort();
	first = cidr_first(&address->cidr);
	address->gateway = ip_add(&first, 1);
	route->dst.ip = (struct ip){ .family = address->cidr.ip.family };
	route->gw = address->gateway;
}

/* With everything but its namespace. */
static void fixture_attachment(struct attachment *a, const char *cidr4, const char *cidr6)
{
	memset(a, 0, sizeof(*a));
	strcpy(a->network, "lab");
	strcpy(a->container_id, "task-a");
	strcpy(a->ifname, "eth0");
	strcpy(a->eni_id, "eni-0123456789abcdef0");
	id_eni_ifname(a->eni_id, a->host_ifname);
	a->mac = id_eni_mac(a->eni_id);
	a->host_mac = id_eni_host_mac(a->eni_id);
	a->ifindex = 1048577;
	a->mtu = 1500;
	a->refuse_unused = a->counted = true;
	a->guard_mark = GUARD_MARK;
	a->store_mark = 1048576;
	if (cidr4)
		add_address(a, cidr4);
	if (cidr6)
		add_address(a, cidr6);
}

static void fill_v4(struct attachment *a)
{
	fixture_attachment(a, "10.0.1.4/24", NULL);
}

static void fill_all(struct attachment *a)
{
	fixture_attachment(a, "10.0.1.4/24", "fd00:1::4/64");
	a->masquerade = a->block_imds = true;
	a->n_vpc = 2;
	cidr_parse("10.0.0.0/16", &a->vpc[0]);
	cidr_parse("fd00:1::/48", &a->vpc[1]);
}

static void fill_bpf(struct attachment *a)
{
	fixture_attachment(a, "10.0.1.4/24", "fd00:1::4/64");
	a->host_routing = HOST_ROUTING_BPF;
}

static void fill_created(struct attachment *a)
{
	fill_v4(a);
	a->netns_created = true;
}

static void fill_macvlan(struct attachment *a)
{
	fixture_attachment(a, "192.168.7.4/24", "fd00:7::4/64");
	a->host_ifname[0] = '\0';
	strcpy(a->master, "lan0");
	a->master_ifindex = 4711;
}

static void fill_host_access(struct attachment *a)
{
	fill_macvlan(a);
	a->host_access = true;
	strcpy(a->shim_ifname, "tvh01234567");
	mac_parse("06:00:00:00:00:07", &a->shim_mac);
	ip_parse("192.168.7.2", &a->host_lan[a->n_host_lan++]);
	ip_parse("fd00:7::2", &a->host_lan[a->n_host_lan++]);
	ip_parse("192.168.7.2", &a->host_ips[0]);
	ip_parse("fd00:7::2", &a->host_ips[1]);
}

static void fill_bridge(struct attachment *a)
{
	fixture_attachment(a, "10.88.0.2/16", NULL);
	strcpy(a->bridge, "cni0");
	a->bridge_ifindex = 0x40000001;
	mac_parse("0e:00:00:00:00:01", &a->bridge_mac);
	a->bridge_gateway = true;
}

static void fill_port(struct attachment *a, uint32_t protocol, uint32_t host_port,
		      const char *host_ip)
{
	struct port *p = &a->ports[a->n_ports++];

	*p = (struct port){ .protocol = protocol, .host_port = host_port, .container_port = 80 };
	if (host_ip)
		ip_parse(host_ip, &p->host_ip);
}

/* Everything that a bridge can have. */
static void fill_bridge_full(struct attachment *a)
{
	fixture_attachment(a, "10.88.0.2/16", "fd00:88::2/64");
	strcpy(a->bridge, "cni0");
	a->bridge_ifindex = 0x40000001;
	mac_parse("0e:00:00:00:00:01", &a->bridge_mac);
	a->bridge_gateway = a->masquerade = a->mac_check = true;
	a->port_hairpin = a->port_isolated = true;
	a->ingress_policy = 1;
	a->masq_all = true;
	fill_port(a, IPPROTO_TCP, 8080, NULL);
	fill_port(a, IPPROTO_UDP, 5353, "0.0.0.0");
	fill_port(a, IPPROTO_TCP, 8081, "127.0.0.1");
	a->bandwidth = (struct bandwidth){ 10000000, 800000, 20000000, 800000 };
	strcpy(a->ifb_ifname, "ifb0123456789ab");
}

/* A bridge that was there before, with an address in the way; and a port that hides nobody. */
static void fill_bridge_foreign(struct attachment *a)
{
	fill_bridge(a);
	strcpy(a->bridge, "br-lan");
	a->bridge_foreign = a->force_address = true;
	a->bridge_ifindex = 4713;
	cidr_parse("10.88.0.9/16", &a->bridge_had[a->n_bridge_had++]);
	a->no_snat = true;
	fill_port(a, IPPROTO_TCP, 8080, NULL);
}

static void fill_none(struct attachment *a)
{
	fixture_attachment(a, NULL, NULL);
}

static void plan_subnet_routes(struct plan *p, enum side side, const struct cidr *address)
{
	const struct ifref nowhere = { .name = NULL };
	struct route_spec refuse = { .dst = { cidr_first(address), address->len },
				     .type = ROUTE_UNREACHABLE,
				     .table = 118 };

	plan_route(p, -1, side, &nowhere, &refuse);
	refuse.table = 0;
	refuse.priority = 4000000000;
	plan_share(p, plan_route(p, -1, side, &nowhere, &refuse));
}

static void plan_subnet_rules(struct plan *p, enum side side, const struct cidr *address)
{
	const struct cidr subnet = { cidr_first(address), address->len };
	struct rule_spec r = { .family = address->ip.family, .priority = 100 };

	r.action = RULE_LOOKUP;
	r.from = cidr_host(&address->ip);
	r.table = 118;
	plan_rule(p, side, &r);
	r = (struct rule_spec){ .family = address->ip.family, .priority = 103 };
	r.action = RULE_NOP;
	plan_share(p, plan_rule(p, side, &r));
	r.action = RULE_GOTO;
	r.target = r.priority--;
	r.iif = "lo";
	plan_share(p, plan_rule(p, side, &r));
	r.iif = NULL;
	r.mark = r.mask = 0x1000;
	plan_share(p, plan_rule(p, side, &r));
	r.mark = r.mask = 0;
	r.to = subnet;
	r.action = RULE_UNREACHABLE;
	plan_share(p, plan_rule(p, side, &r));
}

/* Policy routing on both sides. */
static void rules_plan(const struct attachment *a, struct plan *p)
{
	plan_init(p, a);
	for (int side = HOST; side <= TASK; side++)
		for (unsigned i = 0; i < a->n_addresses; i++) {
			plan_subnet_routes(p, side, &a->addresses[i].cidr);
			plan_subnet_rules(p, side, &a->addresses[i].cidr);
		}
}

static const struct mode mode_rules = { .name = "none", .plan = rules_plan };

static void fill_rules(struct attachment *a)
{
	fixture_attachment(a, "10.0.1.4/24", "fd00:1::4/64");
}

/* Beside eth0. */
static void fill_beside(struct attachment *a)
{
	fill_all(a);
	strcpy(a->ifname, "eth1");
	a->source_routed = true;
}

static void fill_macvlan_beside(struct attachment *a)
{
	fill_macvlan(a);
	strcpy(a->ifname, "eth1");
	a->source_routed = true;
	a->block_imds = true;
}

/* Beside eth0, the port joined, and no default route. */
static void fill_bridge_beside(struct attachment *a)
{
	fill_bridge(a);
	strcpy(a->ifname, "eth1");
	a->source_routed = true;
	a->n_routes = 0;
	a->ports[a->n_ports++] = (struct port){ .host_port = 8080,
						.container_port = 80,
						.protocol = IPPROTO_TCP,
						.joined = true };
}

const struct drawing drawings[] = {
	{ "veth-ipv4", &mode_routed, fill_v4, false },
	{ "veth-dual-masquerade-noimds", &mode_routed, fill_all, false },
	{ "veth-create-namespace", &mode_routed, fill_created, true },
	{ "macvlan", &mode_macvlan, fill_macvlan, false },
	{ "macvlan-host-access", &mode_macvlan, fill_host_access, false },
	{ "bridge", &mode_bridge, fill_bridge, false },
	{ "bridge-full", &mode_bridge, fill_bridge_full, false },
	{ "bridge-foreign", &mode_bridge, fill_bridge_foreign, false },
	{ "none", &mode_none, fill_none, false },
	{ "veth-bpf", &mode_routed, fill_bpf, false },
	{ "rules", &mode_rules, fill_rules, false },
	{ "veth-beside", &mode_routed, fill_beside, false },
	{ "macvlan-beside", &mode_macvlan, fill_macvlan_beside, false },
	{ "bridge-beside", &mode_bridge, fill_bridge_beside, false },
};

const size_t n_drawings = ARRAY_SIZE(drawings);

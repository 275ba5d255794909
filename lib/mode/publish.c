/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Published ports: one lookup in a map per connection, whatever their number. Only what is
 * addressed to the host itself is looked at (fib daddr type local), so traffic that passes through
 * is never caught. What a port of one host address needs stands in host_ports, what all need in
 * ports.
 */
#include "mode/ruleset.h"

#include <netinet/in.h>

/*
 * Routers of subnets are local to the host, but are not its own addresses (no_publish4/6). Answers
 * find their way back by hairpin_out of the shared NAT: a task that reaches its own or a neighbour's
 * port by the host's address gets its answer by the host as well, so the host must be the source;
 * likewise for what the host sends to 127.0.0.1. What has said that its ports are to be so always,
 * or never, stands in a set of its own.
 */
const struct nft_ruleset ruleset_publish = {
	.name = "published ports",
	.table = TASKVPC_TABLE,
	.sets = ruleset_sets,
	.chains = { { "publish", 8 }, { "publish_in", 1 }, { "publish_local", 1 } },
	.text = "add table inet " TASKVPC_TABLE "\n"
		"table inet " TASKVPC_TABLE " {\n"
		"	map ports4 { type inet_proto . inet_service : ipv4_addr . inet_service; flags timeout; }\n"
		"	map ports6 { type inet_proto . inet_service : ipv6_addr . inet_service; flags timeout; }\n"
		"	map host_ports4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; "
		"flags timeout; }\n"
		"	map host_ports6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; "
		"flags timeout; }\n"
		"	set no_publish4 { type ipv4_addr; }\n"
		"	set no_publish6 { type ipv6_addr; }\n"
		"	chain publish { }\n"
		"	chain publish_in { type nat hook prerouting priority dstnat; policy accept; }\n"
		"	chain publish_local { type nat hook output priority -100; policy accept; }\n"
		"}\n"
		"flush chain inet " TASKVPC_TABLE " publish_in\n"
		"flush chain inet " TASKVPC_TABLE " publish_local\n"
		"flush chain inet " TASKVPC_TABLE " publish\n"
		"table inet " TASKVPC_TABLE " {\n"
		"	chain publish {\n"
		"		ip daddr @no_publish4 return\n"
		"		ip6 daddr @no_publish6 return\n"
		"		dnat ip to ip daddr . meta l4proto . th dport map @host_ports4\n"
		"		dnat ip to meta l4proto . th dport map @ports4\n"
		"		dnat ip6 to ip6 daddr . meta l4proto . th dport map @host_ports6\n"
		"		dnat ip6 to meta l4proto . th dport map @ports6\n"
		"	}\n"
		"	chain publish_in {\n"
		"		fib daddr type local jump publish\n"
		"	}\n"
		"	chain publish_local {\n"
		"		fib daddr type local jump publish\n"
		"	}\n"
		"}\n",
};

struct nft_atom atom_number(enum nft_type type, uint32_t number)
{
	return (struct nft_atom){ .type = type, .number = (uint16_t)number };
}

/* Every address of the family: 0.0.0.0 and :: say so, no address says it of both. */
static bool is_any(const struct port *port)
{
	return !ip_is_set(&port->host_ip) || ip_is_unspecified(&port->host_ip);
}

/* The port in a map, and by the same key in a set: no flow takes it as its own. */
static void plan_port(struct plan *p, const struct port *port, const struct ip *to)
{
	bool v6 = to->family == AF_INET6, any = is_any(port);
	struct nft_element el = { .set = any ? (v6 ? "pub6" : "pub4")
					     : (v6 ? "host_pub6" : "host_pub4") };

	if (!any)
		el.key[el.n_key++] = atom_ip(&port->host_ip);
	el.key[el.n_key++] = atom_number(NFT_TYPE_PROTO, port->protocol);
	el.key[el.n_key++] = atom_number(NFT_TYPE_PORT, port->host_port);
	plan_element(p, TASKVPC_TABLE, &el);
	el.set = any ? (v6 ? "ports6" : "ports4") : (v6 ? "host_ports6" : "host_ports4");
	el.data[el.n_data++] = atom_ip(to);
	el.data[el.n_data++] = atom_number(NFT_TYPE_PORT, port->container_port);
	if (port->joined)
		plan_join(p, TASKVPC_TABLE, &el);
	else
		plan_element(p, TASKVPC_TABLE, &el);
}

/* Packets within one subnet that were redirected to a port: they must come back by the host. */
static void plan_hairpin(struct plan *p, const struct cidr *subnet)
{
	struct nft_element el = {
		.set = subnet->ip.family == AF_INET6 ? "hairpin6" : "hairpin4",
		.key = { atom_net(subnet), atom_net(subnet) },
		.n_key = 2,
		.lasting = true,
	};

	plan_share(p, plan_element(p, TASKVPC_TABLE, &el));
}

/* Whose address the task sees. */
static void plan_source(struct plan *p, const struct cidr *address)
{
	static const char *const sets[2][2] = { { "masq_all4", "masq_all6" },
						{ "no_snat4", "no_snat6" } };
	const struct attachment *a = p->a;
	struct nft_element el = { .set = sets[a->no_snat][address->ip.family == AF_INET6],
				  .key = { atom_ip(&address->ip) },
				  .n_key = 1 };

	if (!a->no_snat)
		plan_hairpin(p, address);
	if (a->no_snat || a->masq_all)
		plan_element(p, TASKVPC_TABLE, &el);
}

static void plan_port_family(struct plan *p, const struct port *port, uint8_t family)
{
	const struct address *to = attachment_address(p->a, family);

	if (to && (!ip_is_set(&port->host_ip) || port->host_ip.family == family))
		plan_port(p, port, &to->cidr.ip);
}

/* A TCP connection ends with its task; those of a joined port are tracked to the attachment that
 * serves it. */
static bool has_udp(const struct attachment *a)
{
	for (unsigned i = 0; i < a->n_ports; i++)
		if (a->ports[i].protocol == IPPROTO_UDP && !a->ports[i].joined)
			return true;
	return false;
}

void plan_publish(struct plan *p)
{
	const struct attachment *a = p->a;

	for (unsigned i = 0; i < a->n_addresses; i++)
		plan_source(p, &a->addresses[i].cidr);
	for (unsigned i = 0; i < a->n_ports; i++) {
		plan_port_family(p, &a->ports[i], AF_INET);
		plan_port_family(p, &a->ports[i], AF_INET6);
	}
	if (has_udp(a))
		plan_flows(p);
}

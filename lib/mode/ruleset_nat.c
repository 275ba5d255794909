/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tasks share when their packets bear the host's address: its ports and the table of
 * connections. No flow of a task takes the tuple of a published port or of a service of the host,
 * and no task uses up what others need.
 *
 * prerouting -145   flows: new flows of a task are counted: bound, strangers, refused
 * postrouting 100   egress: what leaves the VPC, and hairpin_out: translate
 *             101   replies: no reply comes to a published or protected port: taken
 */
#include "mode/nat.h"
#include "mode/ruleset.h"

#include <sys/socket.h>

static const char *const value_keys[NFT_VALUES] = { "masqueradePortRange ", "-", ", maxFlows ",
						    ", maxFlowsPerDestination " };

/*
 * The range (%1-%2) is where no service listens, so a masqueraded flow never meets a port below it.
 * A published or protected port within it (51820/udp is WireGuard's) is drawn again at random with
 * the next try (redraw).
 *
 * flows sees each packet, so established flows leave it after two rules. A SYN in the reply
 * direction of a translated flow is a simultaneous open: it would make two strangers one connection.
 * Only new flows are counted, by what identifies the task (the guard has seen to that); what a
 * bridge sends with an address that is nobody's is counted for the bridge. A set that is full
 * counts nothing new: that of destinations holds 32 tasks that are at their bound with a flow to
 * each, and beyond it the task's own bound still holds; no host has as many tasks as task_flows
 * takes. A lookup in such a set would count as well, so nothing looks there.
 */
const struct nft_ruleset ruleset_nat = {
	.name = "shared NAT",
	.table = TASKVPC_TABLE,
	.sets = ruleset_sets,
	.stamp = "settings",
	.keys = value_keys,
	.values = { { NAT_FIRST, NAT_LAST, NAT_FLOWS, NAT_FLOWS_TO } },
	.chains = { { "egress", 3 },
		    { "hairpin_out", 8 },
		    { "translate", 13 },
		    { "redraw", 5 },
		    { "replies", 1 },
		    { "taken", 7 },
		    { "flows", 6 },
		    { "bound", 5 },
		    { "strangers", 3 },
		    { "refused", 6 } },
	.text = "add table inet " TASKVPC_TABLE "\n"
		/* as an earlier version named them */
		"add chain inet " TASKVPC_TABLE " hairpin\n"
		"flush chain inet " TASKVPC_TABLE " hairpin\n"
		"delete chain inet " TASKVPC_TABLE " hairpin\n"
		"add chain inet " TASKVPC_TABLE " loopback\n"
		"flush chain inet " TASKVPC_TABLE " loopback\n"
		"delete chain inet " TASKVPC_TABLE " loopback\n"
		"table inet " TASKVPC_TABLE " {\n"
		"	map settings { type inet_proto : inet_service . inet_service . inet_service . inet_service; }\n"
		"	set masq4 { type ipv4_addr; flags timeout; }\n"
		"	set masq6 { type ipv6_addr; flags timeout; }\n"
		"	set vpc4 { type ipv4_addr . ipv4_addr; flags interval; }\n"
		"	set vpc6 { type ipv6_addr . ipv6_addr; flags interval; }\n"
		"	set hairpin4 { type ipv4_addr . ipv4_addr; flags interval; }\n"
		"	set hairpin6 { type ipv6_addr . ipv6_addr; flags interval; }\n"
		"	set masq_all4 { type ipv4_addr; flags timeout; }\n"
		"	set masq_all6 { type ipv6_addr; flags timeout; }\n"
		"	set no_snat4 { type ipv4_addr; flags timeout; }\n"
		"	set no_snat6 { type ipv6_addr; flags timeout; }\n"
		"	set pub4 { type inet_proto . inet_service; flags timeout; }\n"
		"	set pub6 { type inet_proto . inet_service; flags timeout; }\n"
		"	set host_pub4 { type ipv4_addr . inet_proto . inet_service; flags timeout; }\n"
		"	set host_pub6 { type ipv6_addr . inet_proto . inet_service; flags timeout; }\n"
		"	set protected { type inet_proto . inet_service; }\n"
		"	set bridge_links { type iface_index; }\n"
		"	set own4 { type iface_index . ether_addr . ipv4_addr; flags timeout; }\n"
		"	set own6 { type iface_index . ether_addr . ipv6_addr; flags timeout; }\n"
		"	set task_flows { type iface_index . ether_addr; size 65535; flags dynamic; }\n"
		"	set task_flows_to4 { type iface_index . ether_addr . ipv4_addr; size 262144; flags dynamic; }\n"
		"	set task_flows_to6 { type iface_index . ether_addr . ipv6_addr; size 262144; flags dynamic; }\n"
		"	set bridge_flows { type iface_index; size 65535; flags dynamic; }\n"
		"	set refused_flows { type iface_index . ether_addr; size 65535; flags dynamic,timeout; timeout 1h; }\n"
		"	chain hairpin_out { }\n"
		"	chain translate { }\n"
		"	chain redraw { }\n"
		"	chain taken { }\n"
		"	chain bound { }\n"
		"	chain strangers { }\n"
		"	chain refused { }\n"
		"	chain egress { type nat hook postrouting priority srcnat; policy accept; }\n"
		"	chain replies { type filter hook postrouting priority srcnat + 1; policy accept; }\n"
		"	chain flows { type filter hook prerouting priority -145; policy accept; }\n"
		"}\n"
		"add element inet " TASKVPC_TABLE " settings { 0 : %1 . %2 . %3 . %4 }\n"
		"flush chain inet " TASKVPC_TABLE " egress\n"
		"flush chain inet " TASKVPC_TABLE " hairpin_out\n"
		"flush chain inet " TASKVPC_TABLE " translate\n"
		"flush chain inet " TASKVPC_TABLE " redraw\n"
		"flush chain inet " TASKVPC_TABLE " replies\n"
		"flush chain inet " TASKVPC_TABLE " taken\n"
		"flush chain inet " TASKVPC_TABLE " flows\n"
		"flush chain inet " TASKVPC_TABLE " bound\n"
		"flush chain inet " TASKVPC_TABLE " strangers\n"
		"flush chain inet " TASKVPC_TABLE " refused\n"
		"table inet " TASKVPC_TABLE " {\n"
		"	chain egress {\n"
		"		ip saddr @masq4 ip daddr != 224.0.0.0/4 ip saddr . ip daddr != @vpc4 goto translate\n"
		"		ip6 saddr @masq6 ip6 daddr != ff00::/8 ip6 saddr . ip6 daddr != @vpc6 goto translate\n"
		"		ct status dnat goto hairpin_out\n"
		"	}\n"
		"	chain hairpin_out {\n"
		"		ip daddr @no_snat4 return\n"
		"		ip6 daddr @no_snat6 return\n"
		"		ip daddr @masq_all4 goto translate\n"
		"		ip6 daddr @masq_all6 goto translate\n"
		"		ip saddr . ip daddr @hairpin4 goto translate\n"
		"		ip6 saddr . ip6 daddr @hairpin6 goto translate\n"
		"		ip saddr 127.0.0.0/8 goto translate\n"
		"	}\n"
		"	chain translate {\n"
		"		meta l4proto . th sport @pub4 goto redraw\n"
		"		meta l4proto . th sport @pub6 goto redraw\n"
		"		meta l4proto . th sport @protected goto redraw\n"
		"		udp sport 51820 goto redraw\n"
		"		meta l4proto { tcp, udp, sctp } masquerade to :%1-%2\n"
		"		masquerade\n"
		"	}\n"
		"	chain redraw {\n"
		"		meta l4proto { tcp, udp, sctp } masquerade to :%1-%2 fully-random\n"
		"	}\n"
		"	chain replies {\n"
		"		ct state new ct status snat fib saddr type local goto taken\n"
		"	}\n"
		"	chain taken {\n"
		"		meta l4proto . th sport @pub4 drop\n"
		"		meta l4proto . th sport @pub6 drop\n"
		"		meta l4proto . th sport @protected drop\n"
		"		udp sport 51820 drop\n"
		"		ip saddr . meta l4proto . th sport @host_pub4 drop\n"
		"		ip6 saddr . meta l4proto . th sport @host_pub6 drop\n"
		"	}\n"
		"	chain flows {\n"
		"		ct direction reply ct status snat tcp flags & (syn | ack) == syn drop\n"
		"		ct status confirmed accept\n"
		"		ct state invalid,untracked accept\n"
		"		iif . ether saddr . ip saddr @own4 goto bound\n"
		"		iif . ether saddr . ip6 saddr @own6 goto bound\n"
		"		iif @bridge_links goto strangers\n"
		"	}\n"
		"	chain bound {\n"
		"		add @task_flows { iif . ether saddr ct count over %3 } goto refused\n"
		"		add @task_flows_to4 { iif . ether saddr . ip daddr ct count over %4 } goto refused\n"
		"		add @task_flows_to6 { iif . ether saddr . ip6 daddr ct count over %4 } goto refused\n"
		"	}\n"
		"	chain strangers {\n"
		"		fib saddr type local drop\n"
		"		add @bridge_flows { iif ct count over %3 } goto refused\n"
		"	}\n"
		"	chain refused {\n"
		"		update @refused_flows { iif . ether saddr counter }\n"
		"		drop\n"
		"	}\n"
		"}\n",
};

static bool is_v6(const struct ip *ip)
{
	return ip->family == AF_INET6;
}

static bool needs_nat(const struct attachment *a)
{
	return a->masquerade || a->n_ports || a->nat.first;
}

/* A record of an earlier version has no values: whatever is loaded is right for it. */
void plan_nat(struct plan *p)
{
	const struct attachment *a = p->a;
	const struct nft_values values = { { (uint16_t)a->nat.first, (uint16_t)a->nat.last,
					     (uint16_t)a->nat.flows, (uint16_t)a->nat.flows_to } };

	if (needs_nat(a))
		plan_ruleset_values(p, &ruleset_nat, &values);
}

void plan_protected(struct plan *p)
{
	const struct attachment *a = p->a;

	for (unsigned i = 0; i < a->n_protected; i++) {
		struct nft_element el = { .set = "protected", .n_key = 2, .lasting = true };

		el.key[0] = atom_number(NFT_TYPE_PROTO, a->protected[i].protocol);
		el.key[1] = atom_number(NFT_TYPE_PORT, a->protected[i].port);
		plan_share(p, plan_element(p, TASKVPC_TABLE, &el));
	}
}

/* What two blocks of one VPC send each other is not masqueraded. */
static void plan_vpc_pair(struct plan *p, const struct cidr *from, const struct cidr *to)
{
	struct nft_element el = {
		.set = is_v6(&from->ip) ? "vpc6" : "vpc4",
		.key = { atom_net(from), atom_net(to) },
		.n_key = 2,
		.lasting = true,
	};

	if (from->ip.family == to->ip.family)
		plan_share(p, plan_element(p, TASKVPC_TABLE, &el));
}

/* Only blocks that the task has an address of: it sends from no other. */
static bool lives_in(const struct attachment *a, const struct cidr *block)
{
	for (unsigned i = 0; i < a->n_addresses; i++)
		if (cidr_contains(block, &a->addresses[i].cidr.ip))
			return true;
	return false;
}

/* Does the VPC name a block of the family? */
static bool vpc_has_family(const struct attachment *a, uint8_t family)
{
	for (unsigned i = 0; i < a->n_vpc; i++)
		if (a->vpc[i].ip.family == family)
			return true;
	return false;
}

void plan_masquerade(struct plan *p)
{
	const struct attachment *a = p->a;

	for (unsigned i = 0; i < a->n_vpc; i++)
		for (unsigned k = 0; k < a->n_vpc && lives_in(a, &a->vpc[i]); k++)
			plan_vpc_pair(p, &a->vpc[i], &a->vpc[k]);
	/* Of a family without a block, what stays inside is what stays in the subnet. */
	for (unsigned i = 0; i < a->n_addresses; i++)
		if (!vpc_has_family(a, a->addresses[i].cidr.ip.family))
			plan_vpc_pair(p, &a->addresses[i].cidr, &a->addresses[i].cidr);
	for (unsigned i = 0; i < a->n_addresses; i++) {
		struct nft_element el = { .n_key = 1 };

		el.set = is_v6(&a->addresses[i].cidr.ip) ? "masq6" : "masq4";
		el.key[0] = atom_ip(&a->addresses[i].cidr.ip);
		plan_element(p, TASKVPC_TABLE, &el);
	}
}

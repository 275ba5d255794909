/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The skeleton as text, and the elements of one attachment. */
#include "mode/ruleset.h"

#include <sys/socket.h>

const char *const ruleset_sets[] = { "tasks",       "masq4",       "masq6",   "ports4", "ports6",
				     "host_ports4", "host_ports6", "bridges", NULL };

/*
 * The guard. In prerouting before connection tracking, so that a forged packet costs nothing and
 * leaves no state; and before fragments are put together for it (priority -400), because a whole
 * bears the interface of its last part and the MAC of its first, whoever sent the others. A task is
 * what its own4/own6 elements say: interface, MAC and address together; all else that comes out of
 * it is dropped, so an interface in `tasks` without elements is mute, never open. An honest packet
 * is found by the first lookup, and needs no other.
 */
const struct nft_ruleset ruleset_guard = {
	.name = "source guard",
	.table = TASKVPC_TABLE,
	.sets = ruleset_sets,
	.chains = { { "guard", 3 }, { "known", 4 } },
	.text = "add table inet " TASKVPC_TABLE "\n"
		"table inet " TASKVPC_TABLE " {\n"
		"	set tasks { type iface_index; flags timeout; }\n"
		"	set own4 { type iface_index . ether_addr . ipv4_addr; flags timeout; }\n"
		"	set own6 { type iface_index . ether_addr . ipv6_addr; flags timeout; }\n"
		"	set no_imds { type iface_index; flags timeout; }\n"
		"	chain known { }\n"
		"	chain guard { type filter hook prerouting priority -450; policy accept; }\n"
		"}\n"
		"flush chain inet " TASKVPC_TABLE " known\n"
		"flush chain inet " TASKVPC_TABLE " guard\n"
		"table inet " TASKVPC_TABLE " {\n"
		"	chain known {\n"
		"		ip daddr 169.254.169.254 iif @no_imds drop\n"
		"		ip6 daddr fd00:ec2::254 iif @no_imds drop\n"
		"	}\n"
		"	chain guard {\n"
		"		iif . ether saddr . ip saddr @own4 goto known\n"
		"		iif . ether saddr . ip6 saddr @own6 goto known\n"
		"		iif @tasks drop\n"
		"	}\n"
		"}\n",
};

/* Masquerade what leaves the VPC: not within one VPC's blocks, not multicast. */
const struct nft_ruleset ruleset_masquerade = {
	.name = "masquerade",
	.table = TASKVPC_TABLE,
	.sets = ruleset_sets,
	.chains = { { "egress", 2 } },
	.text = "add table inet " TASKVPC_TABLE "\n"
		"table inet " TASKVPC_TABLE " {\n"
		"	set masq4 { type ipv4_addr; flags timeout; }\n"
		"	set masq6 { type ipv6_addr; flags timeout; }\n"
		"	set vpc4 { type ipv4_addr . ipv4_addr; flags interval; }\n"
		"	set vpc6 { type ipv6_addr . ipv6_addr; flags interval; }\n"
		"	chain egress { type nat hook postrouting priority srcnat; policy accept; }\n"
		"}\n"
		"flush chain inet " TASKVPC_TABLE " egress\n"
		"table inet " TASKVPC_TABLE " {\n"
		"	chain egress {\n"
		"		ip saddr @masq4 ip daddr != 224.0.0.0/4 ip saddr . ip daddr != @vpc4 masquerade\n"
		"		ip6 saddr @masq6 ip6 daddr != ff00::/8 ip6 saddr . ip6 daddr != @vpc6 masquerade\n"
		"	}\n"
		"}\n",
};

struct nft_atom atom_iface(uint32_t ifindex)
{
	return (struct nft_atom){ .type = NFT_TYPE_IFACE, .ifindex = ifindex };
}

struct nft_atom atom_mac(const struct mac *mac)
{
	return (struct nft_atom){ .type = NFT_TYPE_MAC, .mac = *mac };
}

struct nft_atom atom_ip(const struct ip *ip)
{
	return (struct nft_atom){ .type = NFT_TYPE_IP, .net = cidr_host(ip) };
}

struct nft_atom atom_net(const struct cidr *c)
{
	/* Without host bits: two tasks of one subnet share the element, so it must read the same.
	 */
	return (struct nft_atom){ .type = NFT_TYPE_NET, .net = { cidr_first(c), c->len } };
}

static bool is_v6(const struct ip *ip)
{
	return ip->family == AF_INET6;
}

void plan_guard(struct plan *p, uint32_t ifindex)
{
	const struct attachment *a = p->a;
	struct nft_element el = { .set = "tasks", .key = { atom_iface(ifindex) }, .n_key = 1 };

	plan_element(p, TASKVPC_TABLE, &el);
	if (a->block_imds) {
		el.set = "no_imds";
		plan_element(p, TASKVPC_TABLE, &el);
	}
	for (unsigned i = 0; i < a->n_addresses; i++) {
		const struct ip *ip = &a->addresses[i].cidr.ip;

		el = (struct nft_element){ .set = is_v6(ip) ? "own6" : "own4", .n_key = 3 };
		el.key[0] = atom_iface(ifindex);
		el.key[1] = atom_mac(&a->mac);
		el.key[2] = atom_ip(ip);
		plan_element(p, TASKVPC_TABLE, &el);
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

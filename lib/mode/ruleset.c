/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The skeleton as text, and the elements of one attachment. */
#include "mode/ruleset.h"

#include <sys/socket.h>

static bool is_v6(const struct ip *ip)
{
	return ip->family == AF_INET6;
}

const char *const ruleset_sets[] = { "tasks",        "masq4",       "masq6",       "ports4",
				     "ports6",       "host_ports4", "host_ports6", "bridges",
				     "bridge_links", NULL };

/*
 * The guard. In prerouting before connection tracking, so that a forged packet costs nothing and
 * leaves no state; and before fragments are put together for it (priority -400), because a whole
 * bears the interface of its last part and the MAC of its first, whoever sent the others. A task is
 * what its own4/own6 elements say: interface, MAC and address together. Of a veth task (tasks) all
 * else is dropped, so an interface in `tasks` without elements is mute, never open; and its address
 * (home4/home6) comes from no other interface. What the host sends to itself by lo is left alone.
 * 127.0.0.0/8 enters by lo only, whatever route_localnet says. An honest packet is found by the
 * first lookup, and needs no other.
 */
const struct nft_ruleset ruleset_guard = {
	.name = "source guard",
	.table = TASKVPC_TABLE,
	.sets = ruleset_sets,
	.chains = { { "guard", 7 }, { "known", 6 } },
	.text = "add table inet " TASKVPC_TABLE "\n"
		"table inet " TASKVPC_TABLE " {\n"
		"	set tasks { type iface_index; flags timeout; }\n"
		"	set bridge_links { type iface_index; }\n"
		"	set own4 { type iface_index . ether_addr . ipv4_addr; flags timeout; }\n"
		"	set own6 { type iface_index . ether_addr . ipv6_addr; flags timeout; }\n"
		"	set home4 { type ipv4_addr; flags timeout; }\n"
		"	set home6 { type ipv6_addr; flags timeout; }\n"
		"	set no_imds { type iface_index; flags timeout; }\n"
		"	set stores { type iface_index; flags timeout; }\n"
		"	set no_publish4 { type ipv4_addr; }\n"
		"	set no_publish6 { type ipv6_addr; }\n"
		"	chain known { }\n"
		"	chain guard { type filter hook prerouting priority -450; policy accept; }\n"
		"}\n"
		"flush chain inet " TASKVPC_TABLE " known\n"
		"flush chain inet " TASKVPC_TABLE " guard\n"
		"table inet " TASKVPC_TABLE " {\n"
		"	chain known {\n"
		"		ip daddr 127.0.0.0/8 drop\n"
		"		ip6 daddr ::1 drop\n"
		"		ip daddr 169.254.169.254 iif @no_imds drop\n"
		"		ip6 daddr fd00:ec2::254 iif @no_imds drop\n"
		"	}\n"
		"	chain guard {\n"
		"		iif . ether saddr . ip saddr @own4 goto known\n"
		"		iif . ether saddr . ip6 saddr @own6 goto known\n"
		"		iif @tasks drop\n"
		"		ip saddr @home4 iif != \"lo\" drop\n"
		"		ip6 saddr @home6 iif != \"lo\" drop\n"
		"		ip daddr 127.0.0.0/8 iif != \"lo\" drop\n"
		"		ip saddr 127.0.0.0/8 iif != \"lo\" drop\n"
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

/* Each address with the interface by which it enters, and the task's MAC. */
static void plan_own(struct plan *p, uint32_t ifindex)
{
	const struct attachment *a = p->a;

	for (unsigned i = 0; i < a->n_addresses; i++) {
		const struct ip *ip = &a->addresses[i].cidr.ip;
		struct nft_element el = { .set = is_v6(ip) ? "own6" : "own4", .n_key = 3 };

		el.key[0] = atom_iface(ifindex);
		el.key[1] = atom_mac(&a->mac);
		el.key[2] = atom_ip(ip);
		plan_element(p, TASKVPC_TABLE, &el);
	}
}

static void plan_address(struct plan *p, const char *set, const struct ip *ip)
{
	struct nft_element el = { .set = set, .key = { atom_ip(ip) }, .n_key = 1 };

	plan_element(p, TASKVPC_TABLE, &el);
}

void plan_no_publish(struct plan *p, const int *routers)
{
	const struct attachment *a = p->a;

	if (!a->counted)
		return;
	for (unsigned i = 0; i < a->n_addresses; i++) {
		struct ip gw = address_gateway(&a->addresses[i]);
		struct nft_element el = { .set = is_v6(&gw) ? "no_publish6" : "no_publish4",
					  .key = { atom_ip(&gw) },
					  .n_key = 1,
					  .lasting = true };

		plan_share_with(p, plan_element(p, TASKVPC_TABLE, &el), routers[i]);
	}
}

/* Before what it speaks of, so that it is undone last. */
static void plan_store(struct plan *p)
{
	if (p->a->store_mark)
		plan_marker(p, TASKVPC_TABLE, p->a->store_mark);
}

void plan_guard(struct plan *p, uint32_t ifindex)
{
	const struct attachment *a = p->a;
	struct nft_element el = { .set = "tasks", .key = { atom_iface(ifindex) }, .n_key = 1 };

	plan_store(p);
	plan_element(p, TASKVPC_TABLE, &el);
	if (a->block_imds) {
		el.set = "no_imds";
		plan_element(p, TASKVPC_TABLE, &el);
	}
	plan_own(p, ifindex);
	for (unsigned i = 0; i < a->n_addresses; i++) {
		const struct ip *ip = &a->addresses[i].cidr.ip;

		plan_address(p, is_v6(ip) ? "home6" : "home4", ip);
	}
}

void plan_bridge_guard(struct plan *p, uint32_t bridge_ifindex)
{
	struct nft_element el = { .set = "bridge_links",
				  .key = { atom_iface(bridge_ifindex) },
				  .n_key = 1,
				  .lasting = true };

	plan_store(p);
	plan_share(p, plan_element(p, TASKVPC_TABLE, &el));
	plan_own(p, bridge_ifindex);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may talk to whom over bridges: ingressPolicy between bridges, and the MAC addresses that a
 * bridge port may send. Both constant rules over sets.
 */
#include "mode/ruleset.h"

#include <string.h>

/* Between two bridges with a policy only pairs that are named pass; within one, its own pair. */
const struct nft_ruleset ruleset_policy = {
	.name = "ingress policy",
	.table = TASKVPC_TABLE,
	.sets = ruleset_sets,
	.chains = { { "between", 1 } },
	.text = "add table inet " TASKVPC_TABLE "\n"
		"table inet " TASKVPC_TABLE " {\n"
		"	set bridges { type iface_index; flags timeout; }\n"
		"	set bridge_pairs { type iface_index . iface_index; flags timeout; }\n"
		"	chain between { type filter hook forward priority filter; policy accept; }\n"
		"}\n"
		"flush chain inet " TASKVPC_TABLE " between\n"
		"table inet " TASKVPC_TABLE " {\n"
		"	chain between {\n"
		"		iif @bridges oif @bridges iif . oif != @bridge_pairs drop\n"
		"	}\n"
		"}\n",
};

/*
 * A port says only its own MAC, in frames and in ARP. Tags of VLAN 0 are none to who receives them:
 * the kernel has taken the outer one off by now, and two hide an ARP from us that the receiver will
 * find.
 */
static const char *const frame_sets[] = { "ports", NULL };

const struct nft_ruleset ruleset_frames = {
	.name = "MAC addresses",
	.family = NFT_BRIDGE,
	.table = TASKVPC_TABLE,
	.sets = frame_sets,
	.chains = { { "frames", 1 }, { "port", 5 } },
	.text = "add table bridge " TASKVPC_TABLE "\n"
		"table bridge " TASKVPC_TABLE " {\n"
		"	set ports { type iface_index; flags timeout; }\n"
		"	set own { type iface_index . ether_addr; flags timeout; }\n"
		"	chain port { }\n"
		"	chain frames { type filter hook prerouting priority -300; policy accept; }\n"
		"}\n"
		"flush chain bridge " TASKVPC_TABLE " port\n"
		"flush chain bridge " TASKVPC_TABLE " frames\n"
		"table bridge " TASKVPC_TABLE " {\n"
		"	chain port {\n"
		"		iif . ether saddr != @own drop\n"
		"		meta protocol arp iif . arp saddr ether != @own drop\n"
		"		meta protocol 8021q drop\n"
		"		meta protocol 8021ad drop\n"
		"	}\n"
		"	chain frames {\n"
		"		iif @ports goto port\n"
		"	}\n"
		"}\n",
};

void plan_policy(struct plan *p, uint32_t bridge_ifindex)
{
	struct nft_element el = { .set = "bridges",
				  .key = { atom_iface(bridge_ifindex) },
				  .n_key = 1 };

	plan_share(p, plan_element(p, TASKVPC_TABLE, &el));
	if (strcmp(ingress_policy_names[p->a->ingress_policy], "same-bridge") != 0)
		return;
	el.set = "bridge_pairs";
	el.key[el.n_key++] = atom_iface(bridge_ifindex);
	plan_share(p, plan_element(p, TASKVPC_TABLE, &el));
}

void plan_frames(struct plan *p, uint32_t ifindex)
{
	struct nft_element el = {
		.set = "ports", .family = NFT_BRIDGE, .key = { atom_iface(ifindex) }, .n_key = 1
	};

	plan_element(p, TASKVPC_TABLE, &el);
	el.set = "own";
	el.key[el.n_key++] = atom_mac(&p->a->mac);
	plan_element(p, TASKVPC_TABLE, &el);
}

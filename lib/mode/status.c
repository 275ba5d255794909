/* SPDX-License-Identifier: GPL-2.0-or-later */
/* STATUS of modes that forward: does nftables answer, and does another's firewall let tasks
 * through? */
#include "mode/mode.h"

#include "mode/ruleset.h"

#include <string.h>

/* What to do, in the words of whoever has made the chain. */
static void tell_remedy(const struct nft_refuser *r, const char *bridge, struct text *warn)
{
	const char *iptables = strcmp(r->family_name, "ip6") == 0 ? "ip6tables" : "iptables";
	const char *dev = bridge ? bridge : "vpc*";

	if (strcmp(r->table, "firewalld") == 0)
		text_add(warn,
			 "firewall-cmd --permanent --zone=trusted --add-%s%s, then firewall-cmd "
			 "--reload",
			 bridge ? "interface=" : "source=", bridge ? bridge : "SUBNET");
	else if (strcmp(r->table, "filter") == 0 && strcmp(r->family_name, "inet") != 0)
		text_add(warn, "%s -I FORWARD -j ACCEPT; with Docker %s -I DOCKER-USER -j ACCEPT",
			 iptables, iptables);
	else
		text_add(warn,
			 "nft 'insert rule %s %s %s iifname \"%s\" accept', and the same with "
			 "oifname",
			 r->family_name, r->table, r->chain, dev);
}

static void warn_of_refuser(const struct nft_refuser *r, const char *bridge, struct text *warn)
{
	text_add(warn,
		 "the nftables chain \"%s %s %s\" %s all that is forwarded, unless a rule of its "
		 "own accepts it before. To let the tasks through: ",
		 r->family_name, r->table, r->chain,
		 r->by_policy ? "drops by its policy" : "refuses by a rule without conditions");
	tell_remedy(r, bridge, warn);
	text_add(warn, "\n");
}

int mode_status_nft(const char *bridge, struct plan_io *io, struct text *warn, struct err *e)
{
	static const struct nft_crossing forward = { .hook = NFT_FORWARD,
						     .own_table = TASKVPC_TABLE };
	struct nft_refuser refusers[NFT_REFUSERS_MAX];
	struct netlink *nl;
	uint32_t generation;
	int r = plan_io_nft(io, &nl, e);

	if (r == 0)
		r = nft_generation(nl, &generation, e);
	if (r < 0) {
		err_prefix(e, "nftables is not usable on this host");
		e->code = ERR_UNAVAILABLE;
		return r;
	}
	r = nft_refusers(nl, &forward, refusers, ARRAY_SIZE(refusers), e);
	for (int i = 0; i < r; i++)
		warn_of_refuser(&refusers[i], bridge, warn);
	return r < 0 ? r : 0;
}

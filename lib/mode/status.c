/* SPDX-License-Identifier: GPL-2.0-or-later */
/* STATUS of modes that forward: does nftables answer, and does another's firewall let tasks
 * through? */
#include "mode/mode.h"

#include "mode/let_through.h"
#include "mode/ruleset.h"

#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

static void warn_of_rule(const struct fw *fw, const struct fw_rule *by, const char *bridge,
			 struct text *warn)
{
	char chain[600], commands[1024];
	struct text fix;

	fw_rule_text(by, chain);
	text_init(&fix, commands, sizeof(commands));
	let_through_fix(fw, by, bridge, &fix);
	text_add(warn, "the nftables chain \"%s\" drops what tasks send through the host", chain);
	if (by->handle)
		text_add(warn, " by its rule with handle %" PRIu64, by->handle);
	text_add(warn, ". To let them through: %s\n", commands);
}

/* An address of the first subnet of the family, if there is one. */
static void take_address(const struct pool *pool, struct let_through *l)
{
	l->task_unknown = true;
	for (unsigned i = 0; i < pool->n_sets; i++)
		for (unsigned k = 0; k < pool->sets[i].n_ranges && l->task_unknown; k++) {
			const struct pool_range *range = &pool->sets[i].ranges[k];

			if (range->usable.first.family != l->task.family)
				continue;
			l->task = range->usable.first;
			l->task_unknown = false;
		}
}

/* Return: 0, or a negative errno. */
static int judge_family(const struct netconf *c, struct let_through *l, struct fw *fw,
			struct netlink *route, struct text *warn, struct err *e)
{
	struct route_uplink uplink;
	enum nft_hook hook;
	struct fw_rule by;
	int r = route_uplink_find(route, l->task.family, &uplink, e);

	take_address(&c->pool, l);
	if (r == 0 && uplink.ifindex)
		r = link_by_index(route, uplink.ifindex, &l->uplink, e);
	if (r >= 0)
		r = let_through_judge(fw, l, &by, &hook, e);
	if (r == FW_DROPS)
		warn_of_rule(fw, &by, l->bridge, warn);
	return r < 0 ? r : 0;
}

/* Of a foreign IPAM plugin the family is not known: IPv4 then. */
static bool has_family(const struct netconf *c, uint8_t family)
{
	return c->pool.n_sets ? pool_has_family(&c->pool, family) : family == AF_INET;
}

static int judge_rules(const struct netconf *c, const char *bridge, struct netlink *nl,
		       struct plan_io *io, struct text *warn, struct err *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct netlink *route;
	struct fw *fw = NULL;
	int r = plan_io_route(io, HOST, &route, e);

	if (r == 0)
		r = fw_open(nl, route, TASKVPC_TABLE, &fw, e);
	if (r == 0)
		fw_read_legacy(fw);
	for (size_t i = 0; i < ARRAY_SIZE(families) && r == 0; i++) {
		struct let_through l = { .bridge = bridge ? bridge : ANY_HOST_END,
					 .task.family = families[i] };

		if (bridge)
			link_by_name(route, bridge, &l.link, e);
		if (bridge && !l.link.ifindex) /* it is still to be made */
			l.link = (struct link_info){ .ifindex = UINT32_MAX, .kind = "bridge" };
		if (bridge)
			text_copy(l.link.name, sizeof(l.link.name), bridge);
		if (has_family(c, families[i]))
			r = judge_family(c, &l, fw, route, warn, e);
	}
	fw_close(fw);
	return r;
}

int mode_status_nft(const struct netconf *c, const char *bridge, struct plan_io *io,
		    struct text *warn, struct err *e)
{
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
	return judge_rules(c, bridge, nl, io, warn, e);
}

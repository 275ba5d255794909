/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Source-based routing in the task, as AWS documents it for further network interfaces: a rule
 * `from ADDRESS lookup TABLE` for each address, and a table with the routes of the interface alone.
 * The main table has the routes of all interfaces, for what is sent without a source address.
 *
 * The first interface has none of this, so that a task with one network does not pay for it. The
 * one that comes beside it also keeps the answers of the first one's addresses on their way: those
 * to tasks in its own subnet would leave by it otherwise.
 *
 *   29999  from FIRST to FIRST'S SUBNET  lookup main, where the subnet is on its link
 *   30000  from FIRST                    lookup a table with the first one's default route
 *   30000  from ADDRESS                  lookup TABLE
 */
#include "mode/source.h"

#include "mode/task.h"

#include <string.h>
#include <sys/socket.h>

#define FIRST_SUBNET 29999
#define FROM_ADDRESS 30000 /* priority of the rules: before the main table */
#define FIRST_TABLE  0x80000000U
#define MAIN_TABLE   254U

static bool has_default(const struct attachment *a, uint8_t family)
{
	for (unsigned i = 0; i < a->n_routes; i++)
		if (a->routes[i].dst.ip.family == family && !a->routes[i].dst.len &&
		    !a->routes[i].table)
			return true;
	return false;
}

bool source_needs_table(const struct attachment *a)
{
	for (unsigned i = 0; i < a->n_addresses && a->n_ports && a->bridge_gateway; i++)
		if (!has_default(a, a->addresses[i].cidr.ip.family))
			return true;
	return false;
}

/* The default route of one family: an address that no other route of a task leads to. */
static int find_default(struct netlink *nl, const char *beyond, struct route_way *ret,
			struct err *e)
{
	struct route_ask ask = { .iif = 0 };
	int why, r;

	ip_parse(beyond, &ask.dst);
	r = route_way_find(nl, &ask, ret, &why, e);
	if (r == 0 && (ret->match.len || !ip_is_set(&ret->gw)))
		return 1;
	return r;
}

/* Does the first interface reach the subnet of @cidr on its link? Not so where the host routes. */
static int is_connected(struct netlink *nl, uint32_t ifindex, const struct cidr *cidr,
			struct err *e)
{
	const struct ip first = cidr_first(cidr);
	struct route_ask ask = { .dst = ip_add(&first, 1) };
	struct route_way way;
	int why, r;

	if (ip_equal(&ask.dst, &cidr->ip))
		ask.dst = ip_add(&first, 2);
	r = route_way_find(nl, &ask, &way, &why, e);
	return r ? (r < 0 ? r : 0)
		 : way.ifindex == ifindex && !ip_is_set(&way.gw) && way.match.len == cidr->len;
}

/* The first interface's addresses, each with the prefix length that is on its link. */
static int find_addresses(struct netlink *nl, struct attachment *a, struct err *e)
{
	struct link_info link;
	int r = link_by_index(nl, a->first_ifindex, &link, e);

	if (r == 0)
		r = addr_list(nl, a->first_ifindex, a->first_cidrs, ARRAY_SIZE(a->first_cidrs),
			      &a->n_first_cidrs, e);
	if (r >= 0)
		text_copy(a->first_ifname, sizeof(a->first_ifname), link.name);
	for (unsigned i = 0; i < a->n_first_cidrs && r >= 0; i++) {
		struct cidr *cidr = &a->first_cidrs[i];

		r = is_connected(nl, a->first_ifindex, cidr, e);
		if (r == 0)
			cidr->len = (uint8_t)ip_bits(&cidr->ip);
	}
	return r < 0 ? r : 0;
}

int source_find(struct plan_io *io, struct attachment *a, struct err *e)
{
	static const char *const beyond[] = { "192.88.99.1", "2001:db8:ffff:ffff::1" };
	struct netlink *nl;
	int r = plan_io_route(io, TASK, &nl, e);

	a->source_routed = !task_is_first(a);
	for (size_t i = 0; i < ARRAY_SIZE(beyond) && r >= 0; i++) {
		struct route_way way;

		r = find_default(nl, beyond[i], &way, e);
		if (r < 0 && i > 0) /* a kernel without IPv6 */
			r = 1;
		if (r != 0)
			continue;
		a->source_routed = true;
		if (task_is_first(a) || (a->first_ifindex && a->first_ifindex != way.ifindex))
			continue;
		a->first_ifindex = way.ifindex;
		a->first_gw[i] = way.gw;
	}
	if (r < 0)
		return r;
	return a->first_ifindex ? find_addresses(nl, a, e) : 0;
}

/* Is the subnet of the @i-th address that of one before it? */
static bool repeats_subnet(const struct attachment *a, unsigned i)
{
	const struct cidr *one = &a->addresses[i].cidr;

	for (unsigned k = 0; k < i; k++)
		if (a->addresses[k].cidr.len == one->len &&
		    cidr_contains(&a->addresses[k].cidr, &one->ip))
			return true;
	return false;
}

static void plan_connected(struct plan *p, int link, const struct ifref *dev)
{
	const struct attachment *a = p->a;

	for (unsigned i = 0; i < a->n_addresses; i++) {
		const struct cidr *cidr = &a->addresses[i].cidr;
		struct route_spec subnet = { .dst = { cidr_first(cidr), cidr->len },
					     .table = a->ifindex };

		if (!repeats_subnet(a, i))
			plan_route(p, link, TASK, dev, &subnet);
	}
}

/* A default route by the gateway, for answers, where the network brings none of the family. */
static void plan_way_out(struct plan *p, int link, const struct ifref *dev, uint8_t family)
{
	const struct attachment *a = p->a;
	const struct address *address = attachment_address(a, family);
	bool routed = !a->bridge[0] || a->bridge_gateway;
	struct route_spec out = { .dst.ip.family = family, .table = a->ifindex };

	if (!address || !routed || !ip_is_set(&address->gateway) || has_default(a, family))
		return;
	out.gw = address->gateway;
	plan_route(p, link, TASK, dev, &out);
}

static void plan_table(struct plan *p, int link, const struct ifref *dev)
{
	const struct attachment *a = p->a;

	for (unsigned i = 0; i < a->n_routes; i++) {
		const struct route *r = &a->routes[i];
		struct route_spec spec = { .dst = r->dst,
					   .gw = r->gw,
					   .has_scope = r->has_scope,
					   .scope = r->scope,
					   .priority = r->priority,
					   .table = a->ifindex,
					   .mtu = r->mtu,
					   .advmss = r->advmss };

		if (!r->table)
			plan_route(p, link, TASK, dev, &spec);
	}
	plan_way_out(p, link, dev, AF_INET);
	plan_way_out(p, link, dev, AF_INET6);
}

static void plan_from_address(struct plan *p)
{
	const struct attachment *a = p->a;

	for (unsigned i = 0; i < a->n_addresses; i++) {
		const struct ip *ip = &a->addresses[i].cidr.ip;
		const struct rule_spec rule = { .family = ip->family,
						.priority = FROM_ADDRESS,
						.from = cidr_host(ip),
						.table = a->ifindex };

		plan_rule(p, TASK, &rule);
	}
}

/* The first interface may go before this one: then nothing is missed. */
static void plan_first(struct plan *p)
{
	const struct attachment *a = p->a;
	const struct ifref first = { a->first_ifname, a->first_ifindex };

	for (int i = 0; i < 2; i++) {
		struct route_spec out = { .dst.ip.family = i ? AF_INET6 : AF_INET,
					  .gw = a->first_gw[i],
					  .table = FIRST_TABLE | a->ifindex };

		if (ip_is_set(&out.gw))
			plan_route_of_other(p, TASK, &first, &out);
	}
	for (unsigned i = 0; i < a->n_first_cidrs; i++) {
		const struct cidr *cidr = &a->first_cidrs[i];
		struct rule_spec rule = { .family = cidr->ip.family,
					  .priority = FIRST_SUBNET,
					  .from = cidr_host(&cidr->ip),
					  .to = { cidr_first(cidr), cidr->len },
					  .table = MAIN_TABLE };

		if (!ip_is_set(&a->first_gw[cidr->ip.family == AF_INET6]))
			continue;
		/* A third interface has the same one. */
		if (cidr->len < ip_bits(&cidr->ip))
			plan_share(p, plan_rule(p, TASK, &rule));
		rule.priority = FROM_ADDRESS;
		rule.to = (struct cidr){ .len = 0 };
		rule.table = FIRST_TABLE | a->ifindex;
		plan_rule(p, TASK, &rule);
	}
}

void plan_source(struct plan *p, int link, const struct ifref *dev, bool connected)
{
	if (connected)
		plan_connected(p, link, dev);
	plan_table(p, link, dev);
	plan_from_address(p);
	plan_first(p);
}

void plan_source_unknown(struct plan *p)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < ARRAY_SIZE(families) && p->a->source_routed; i++) {
		const struct rule_spec rule = { .family = families[i],
						.priority = FROM_ADDRESS,
						.table = p->a->ifindex };

		plan_rules_end(p, TASK, &rule);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The task's side of an interface, as all modes that make one plan it. */
#include "mode/task.h"

#include "mode/source.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int task_judge_mtu(uint32_t mtu, bool has_ipv6, struct err *e)
{
	if (mtu >= IPV6_MTU_MIN || !has_ipv6)
		return 0;
	err_set(e, ERR_CONFIG, 0, "mtu: %u is too small for the task's IPv6 address", mtu);
	err_hint(e, "IPv6 needs an MTU of at least %d", IPV6_MTU_MIN);
	return -EINVAL;
}

int task_accept_mtu(const struct attachment *a, struct err *e)
{
	return task_judge_mtu(a->mtu, attachment_has_family(a, AF_INET6), e);
}

/* As the kernel sees it when route @i is added: by the prefix of an address, or a route before it
 * that needs no gateway. */
static bool is_on_link(const struct attachment *a, unsigned i)
{
	const struct ip *gw = &a->routes[i].gw;

	for (unsigned k = 0; k < a->n_addresses; k++)
		if (cidr_contains(&a->addresses[k].cidr, gw))
			return true;
	for (unsigned k = 0; k < i; k++)
		if (!ip_is_set(&a->routes[k].gw) && cidr_contains(&a->routes[k].dst, gw))
			return true;
	return ip_is_link_local(gw);
}

int task_accept_gateways(const struct attachment *a, struct err *e)
{
	char gw[IP_TEXT], dst[IP_TEXT];

	for (unsigned i = 0; i < a->n_routes; i++) {
		const struct route *r = &a->routes[i];

		if (!ip_is_set(&r->gw) || is_on_link(a, i))
			continue;
		err_set(e, ERR_CONFIG, 0,
			"routes: the gateway %s of %s is in no subnet of the task",
			ip_text(&r->gw, gw), cidr_text(&r->dst, dst));
		err_hint(e, "name a gateway on the task's link, or a route to it before, with the "
			    "scope of the link (253); or leave \"gw\" out");
		return -EINVAL;
	}
	return 0;
}

void plan_task_ipv6(struct plan *p, int link, enum side side, const char *ifname)
{
	bool v6 = attachment_has_family(p->a, AF_INET6);

	/* Below IPv6's least MTU the kernel does not run it, and there is no such sysctl. */
	if (p->a->mtu < IPV6_MTU_MIN)
		return;
	/* Whoever gives the task an IPv6 address means it, even where new interfaces have none; and
	 * a link that was made before its addresses were known has it turned off by us. */
	if (side == TASK || !v6)
		plan_sysctl(p, link, side, v6 ? "0" : "1", "net/ipv6/conf/%s/disable_ipv6", ifname);
	if (v6)
		plan_sysctl(p, link, side, "0", "net/ipv6/conf/%s/accept_ra", ifname);
}

bool task_is_first(const struct attachment *a)
{
	return strcmp(a->ifname, "eth0") == 0;
}

/*
 * Several attachments of one task may bring routes to the same destination, the default route or
 * the gateway of one subnet before all, in any order and at the same time. eth0's is the one that
 * counts; the others stand behind it, each with a metric of its own.
 */
uint32_t task_metric(const struct attachment *a)
{
	return task_is_first(a) ? 0 : a->ifindex;
}

void plan_task_arp(struct plan *p, int link)
{
	if (p->a->source_routed && !task_is_first(p->a) &&
	    attachment_has_family(p->a, AF_INET))
		plan_share(p, plan_sysctl(p, link, TASK, "1", "net/ipv4/conf/all/arp_ignore"));
}

void plan_task_routes(struct plan *p, int link, const struct ifref *dev, bool connected)
{
	if (p->a->source_routed)
		plan_source(p, link, dev, connected);
	for (unsigned i = 0; i < p->a->n_routes; i++) {
		const struct route *r = &p->a->routes[i];
		struct route_spec spec = {
			.dst = r->dst,
			.gw = r->gw,
			.has_scope = r->has_scope,
			.scope = r->scope,
			.priority = r->priority ? r->priority : task_metric(p->a),
			.table = r->table,
			.mtu = r->mtu,
			.advmss = r->advmss,
		};

		plan_route(p, link, TASK, dev, &spec);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layer 3 of a packet's way: which route decides, and what keeps a packet from having one. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "kernel/bpf.h"
#include "way.h"

/* ---- the commands that put routes back ---- */

static bool has_route(struct way *w, struct place *at, const struct ip *ip)
{
	struct route_way way;
	struct err ignored;
	int why;

	(void)w;
	return route_way_find(&at->route, &(struct route_ask){ .dst = *ip }, &way, &why,
			      &ignored) == 0;
}

bool way_has_address(struct place *at, const struct ip *ip)
{
	struct route_way way;
	struct err ignored;
	int why;

	return route_way_find(&at->route, &(struct route_ask){ .dst = *ip }, &way, &why,
			      &ignored) == 0 &&
	       way.local;
}

/* As the kernel makes it along with the address. */
static void add_subnet_route(const struct place *at, const struct cidr *own, const char *dev,
			     struct text *t)
{
	const struct cidr subnet = { cidr_first(own), own->len };
	bool v6 = own->ip.family == AF_INET6;
	char dst[IP_TEXT], src[IP_TEXT];

	text_add(t, "%s%s route replace %s dev %s proto kernel %s%s; ", at->ip, v6 ? " -6" : "",
		 cidr_text(&subnet, dst), dev, v6 ? "metric 256" : "scope link src ",
		 v6 ? "" : ip_text(&own->ip, src));
}

/* Of the task: its address, the way to its gateway, and the default route. */
static void routes_of_task(struct way *w, const json *row, const json *address, struct text *t)
{
	const char *cidr = live_text(address, "address"), *gw = live_text(address, "gateway");
	const char *dev = live_text(row, "interface");
	bool routed = !strcmp(live_text(row, "mode"), "awsvpc-veth");
	const char *six = strchr(cidr, ':') ? " -6" : "";
	struct place *at;
	struct err ignored;
	struct cidr own;
	struct ip ip;

	if (way_place(w, row, &at, &ignored) < 0 || !cidr_parse(cidr, &own))
		return;
	if (!way_has_address(at, &own.ip))
		text_add(t, "%s addr add %s dev %s%s%s; ", at->ip, cidr, dev,
			 routed ? " noprefixroute" : "", *six ? " nodad" : "");
	else if (!routed && ip_parse(gw, &ip) && !has_route(w, at, &ip))
		add_subnet_route(at, &own, dev, t);
	if (routed && ip_parse(gw, &ip) && !has_route(w, at, &ip))
		text_add(t, "%s%s route replace %s dev %s proto static; ", at->ip, six, gw, dev);
	if (*gw)
		text_add(t, "%s%s route replace default via %s dev %s proto static", at->ip, six,
			 gw, dev);
}

/* The host's route to a task has the gateway as its source, which must be an address of the host.
 */
static void gateway_of_host(struct way *w, const char *gw, struct text *t)
{
	struct route_way way;
	struct err ignored;
	struct ip ip;
	int why;

	if (ip_parse(gw, &ip) && ip.family == AF_INET &&
	    (route_way_find(&w->host->route, &(struct route_ask){ .dst = ip }, &way, &why,
			    &ignored) != 0 ||
	     !way.local))
		text_add(t, "ip route replace local %s dev lo proto static; ", gw);
}

/* Of the host: to the task, or to the bridge's subnet. */
static void routes_of_host(struct way *w, const json *row, const json *address, struct text *t)
{
	const char *cidr = live_text(address, "address"), *gw = live_text(address, "gateway");
	int len = (int)strcspn(cidr, "/");
	bool v6 = strchr(cidr, ':');

	if (!*live_text(row, "bridge"))
		gateway_of_host(w, gw, t);
	if (*live_text(row, "bridge"))
		text_add(t, "ip addr add %s%s dev %s", gw, cidr + len, live_text(row, "bridge"));
	else if (*live_text(row, "hostInterface"))
		text_add(t, "ip%s route replace %.*s dev %s%s%s proto static", v6 ? " -6" : "", len,
			 cidr, live_text(row, "hostInterface"), v6 ? "" : " src ", v6 ? "" : gw);
	if (*live_text(row, "hostRouting"))
		text_add(t, " metric %u", BPF_ROUTE_METRIC);
}

static const json *address_of(const json *row, const struct ip *ip)
{
	const json *first = NULL;

	for (const json *a = json_first(json_get(row, "addresses")); a; a = json_next(a)) {
		struct cidr c;

		if (!cidr_parse(live_text(a, "address"), &c) || c.ip.family != ip->family)
			continue;
		if (ip_equal(&c.ip, ip))
			return a;
		first = first ? first : a;
	}
	return first;
}

/* Whose gateway is it? Then the host has lost its own address. */
static bool is_gateway(const json *address, const struct ip *ip)
{
	struct ip gw;

	return ip_parse(live_text(address, "gateway"), &gw) && ip_equal(&gw, ip);
}

const char *way_routes(struct way *w, const json *row, const struct ip *ip, char buf[static 400])
{
	const json *address = address_of(row, ip);
	struct cidr own;
	struct text t;

	text_init(&t, buf, 400);
	if (!address || !cidr_parse(live_text(address, "address"), &own))
		return buf;
	if (is_gateway(address, ip) && !*live_text(row, "bridge"))
		text_add(&t, "ip%s route replace local %s dev lo proto static",
			 ip->family == AF_INET6 ? " -6" : "", live_text(address, "gateway"));
	else if (is_gateway(address, ip) || !w->at->path)
		routes_of_host(w, row, address, &t);
	else
		routes_of_task(w, row, address, &t);
	return buf;
}

/* ---- a route that leads elsewhere ---- */

/* The host knows by which interface each task is reached: any other is the wrong one. */
static bool told_astray(struct way *w, const struct route_ask *ask, const struct route_way *way,
			struct err *e)
{
	const json *row = w->at->path || way->local ? NULL : way_owner(w, &w->p.dst);
	char dst[IP_TEXT], fix[400], where[48];
	struct rule_decision d;
	struct link_info link;
	json *hop;

	if (!row || !*live_text(row, "hostInterface") || way_told_down(w, row, e))
		return row && w->fate;
	if (link_by_index(&w->at->route, way->ifindex, &link, e) != 0 ||
	    !strcmp(link.name, way_needed_link(w, row)))
		return false;
	if (way_rule(w, ask, &d) == 0 && !way_is_usual(&d)) {
		snprintf(where, sizeof(where), " to %s", link.name);
		way_told_ruled(w, &d, &w->p.dst, where);
		return true;
	}
	hop = way_tell(w, "route", "%s leads to %s, and not to %s, where task %s is",
		       way->match.len ? "another route" : "the default route", link.name,
		       way_needed_link(w, row), live_text(row, "task"));
	way_command(hop, "ip route get %s", ip_text(&w->p.dst, dst));
	way_why(hop, "The route of the task itself is gone; the next best one takes its place.");
	way_ends(w, hop, FATE_DIES, "%s", way_routes(w, row, &w->p.dst, fix));
	return true;
}

/* Has the task of w->at an interface of that name from us? */
static bool is_attached(const struct way *w, const char *ifname)
{
	for (const json *row = json_first(w->rows); row; row = json_next(row))
		if (!strcmp(live_text(row, "netns"), w->at->path) &&
		    !strcmp(live_text(row, "interface"), ifname))
			return true;
	return false;
}

/* In a task a route by an interface that is not of ours takes what is for a task or the host. */
static bool told_aside(struct way *w, const struct route_way *way, struct err *e)
{
	bool v6 = w->p.dst.family == AF_INET6;
	char dst[IP_TEXT], match[IP_TEXT];
	struct link_info link;
	json *hop;

	if (!w->at->path || way->local || !way_owner(w, &w->p.dst) || !way->match.len ||
	    link_by_index(&w->at->route, way->ifindex, &link, e) != 0 || is_attached(w, link.name))
		return false;
	cidr_text(&way->match, match);
	hop = way_tell(w, "route", "the route %s leads to %s, and %s is not there", match,
		       link.name, ip_text(&w->p.dst, dst));
	way_command(hop, "%s route get %s", w->at->ip, dst);
	way_why(hop, "The interface is none that a network of taskvpc has made: tasks are not "
		     "behind it.");
	way_ends(w, hop, FATE_DIES, "%s%s route del %s dev %s table %u", w->at->ip, v6 ? " -6" : "",
		 match, link.name, way->table);
	return true;
}

/* By which table, where it is none that everybody has. */
static void add_table(struct way *w, const struct route_ask *ask, const struct route_way *way,
		      struct text *t)
{
	struct rule_decision d;

	if (way->table && way->table != RT_TABLE_MAIN && way->table != RT_TABLE_LOCAL &&
	    way_rule(w, ask, &d) == 0 && d.rule.table == way->table) {
		text_add(t, ", by the rule \"%u: ", d.rule.priority);
		rule_text(&d.rule, t);
		text_add(t, "\"");
	}
}

static void tell_route(struct way *w, const struct route_ask *ask, const struct route_way *way,
		       const char *in, struct err *e)
{
	char dst[IP_TEXT], match[IP_TEXT], gw[IP_TEXT], src[IP_TEXT], table[240] = "";
	struct link_info link = { .name = "?" };
	struct text t;
	char mark[24] = "";
	json *hop;

	text_init(&t, table, sizeof(table));
	add_table(w, ask, way, &t);
	ip_text(&w->p.dst, dst);
	cidr_text(&way->match, match);
	if (way->local)
		hop = way_tell(w, "route", "%s is an address of this namespace%s", dst, table);
	else if (link_by_index(&w->at->route, way->ifindex, &link, e) == 0 && ip_is_set(&way->gw))
		hop = way_tell(w, "route", "%s via %s dev %s%s", way->match.len ? match : "default",
			       ip_text(&way->gw, gw), link.name, table);
	else
		hop = way_tell(w, "route", "%s dev %s%s", way->match.len ? match : "default",
			       link.name, table);
	if (ask->mark)
		snprintf(mark, sizeof(mark), " mark 0x%x", ask->mark);
	way_command(hop, "%s route get %s%s%s%s%s%s", w->at->ip, dst, w->iif ? " from " : "",
		    w->iif ? ip_text(&w->p.src, src) : "", w->iif ? " iif " : "", w->iif ? in : "",
		    mark);
	way_why(hop,
		way->local ? "The table local says so; nothing is sent on."
		: ip_is_set(&way->gw)
			? "The longest prefix that fits decides; the gateway takes it further."
			: "The longest prefix that fits decides; the destination is on that link.");
}

/* What the kernel is asked: the ports only of protocols that it takes them of. */
static struct route_ask question(struct way *w)
{
	struct route_ask ask = { .dst = w->p.dst,
				 .iif = w->iif,
				 .mark = w->p.mark | way_our_mark(w) };
	bool ports = w->p.protocol == IPPROTO_TCP || w->p.protocol == IPPROTO_UDP;

	if (!w->any_source)
		ask.src = w->p.src;
	if (ports)
		ask.protocol = w->p.protocol;
	if (ask.protocol && w->answer)
		ask.sport = w->p.port;
	else if (ask.protocol)
		ask.dport = w->p.port;
	return ask;
}

/* A task that has lost its address sends from none, or from loopback. Return: is it told? */
static bool told_nameless(struct way *w)
{
	const json *row = w->at->path ? w->at->row : NULL, *address;
	char fix[400];
	json *hop;

	if (!row || ip_is_loopback(&w->p.dst) ||
	    (ip_is_set(&w->p.src) && !ip_is_loopback(&w->p.src)))
		return false;
	address = address_of(row, &w->p.dst);
	if (!address || !*live_text(address, "address"))
		return false;
	hop = way_tell(w, "address", "the task does not have its address %s",
		       live_text(address, "address"));
	way_command(hop, "%s addr show", w->at->ip);
	way_why(hop, "Without an address of its own a task sends from none that anybody answers.");
	w->p.src.family = w->p.dst.family;
	way_ends(w, hop, FATE_DIES, "%s", way_routes(w, row, &w->p.src, fix));
	return true;
}

int way_routed(struct way *w, struct route_way *ret, struct err *e)
{
	const struct route_ask ask = question(w);
	struct link_info in = { .name = "lo" };
	int why = 0, r;

	r = route_way_find(&w->at->route, &ask, ret, &why, e);
	if (r < 0)
		return r;
	if (r == 1) {
		way_refused(w, &ask, why, e);
		return w->fate ? 0
			       : err_set(e, ERR_KERNEL, ENODEV, "the interface %u is gone", w->iif);
	}
	if (w->any_source && ip_is_set(&ret->src))
		w->p.src = ret->src;
	if (w->any_source && told_nameless(w))
		return 0;
	w->any_source = false;
	if (told_astray(w, &ask, ret, e))
		return 0;
	if (w->iif && w->at->path && !ret->local) {
		way_told_not_mine(w);
		return 0;
	}
	if (told_aside(w, ret, e))
		return 0;
	if (w->iif)
		link_by_index(&w->at->route, w->iif, &in, e);
	tell_route(w, &ask, ret, in.name, e);
	if (w->iif && !ret->local)
		way_told_unforwarded6(w, &in);
	return 0;
}

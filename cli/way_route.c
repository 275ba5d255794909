/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layer 3 of a packet's way: which route decides, and what keeps a packet from having one. */
#include <errno.h>
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
	if (!has_route(w, at, &own.ip))
		text_add(t, "%s addr add %s dev %s%s; ", at->ip, cidr, dev,
			 routed ? " noprefixroute" : "");
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

/* ---- why there is none ---- */

/* The interface by which the host reaches a task, or a task the world. */
static const char *needed_link(const struct way *w, const json *row)
{
	if (w->at->path)
		return live_text(row, "interface");
	return *live_text(row, "bridge") ? live_text(row, "bridge")
					 : live_text(row, "hostInterface");
}

/* An interface that is down has no routes: then that is the reason. Return: is it told? */
static bool told_down(struct way *w, const json *row, struct err *e)
{
	struct link_info link;

	return *needed_link(w, row) &&
	       link_by_name(&w->at->route, needed_link(w, row), &link, e) == 0 &&
	       !way_is_up(w, w->at, &link);
}

static void told_not_forwarded(struct way *w, const char *family, const char *path)
{
	json *hop = way_tell(w, "forwarding", "%s does not forward %s: %s is 0",
			     w->at->path ? "the task" : "the host", family, path);

	way_command(hop, "%ssysctl %s", w->at->run, path);
	way_why(hop, "Between two interfaces a kernel passes nothing on, unless it is told to be a "
		     "router.");
	way_ends(w, hop, FATE_DIES, "%ssysctl -w %s=1", w->at->run,
		 w->p.dst.family == AF_INET6 ? "net.ipv6.conf.all.forwarding"
					     : "net.ipv4.ip_forward");
}

static void told_wrong_way_in(struct way *w, const char *dev)
{
	const json *owner = w->at->path ? NULL : way_owner(w, &w->p.src);
	char src[IP_TEXT], fix[400];
	json *hop = way_tell(w, "rp_filter", "what comes from %s should not come in by %s",
			     ip_text(&w->p.src, src), dev);

	way_command(hop, "%s route get %s; %ssysctl net.ipv4.conf.%s.rp_filter", w->at->ip, src,
		    w->at->run, dev);
	way_why(hop, "rp_filter: a packet is taken only from the interface that leads back to its "
		     "source.");
	if (owner) /* a task's route is gone: that is what is wrong, not the filter */
		way_ends(w, hop, FATE_DIES, "%s", way_routes(w, owner, &w->p.src, fix));
	else
		way_ends(w, hop, FATE_DIES, "%ssysctl -w net.ipv4.conf.%s.rp_filter=2", w->at->run,
			 dev);
}

/*
 * Does rp_filter refuse what comes in by @in? Kernels before 6.13 say so themselves (EXDEV); later
 * ones say of all that is refused that it is invalid. On an interface without an address loose is
 * strict.
 */
static bool is_wrong_way_in(struct way *w, const struct link_info *in, int why)
{
	long all = way_sysctl(w, w->at, 0, "net/ipv4/conf/all/rp_filter");
	long own = way_sysctl(w, w->at, 0, "net/ipv4/conf/%s/rp_filter", in->name);
	struct route_way back;
	struct err ignored;
	int r;

	if (why == EXDEV)
		return true;
	if (why != EINVAL || w->p.src.family != AF_INET || (!own && !all))
		return false;
	r = route_way_find(&w->at->route, &(struct route_ask){ .dst = w->p.src }, &back, &why,
			   &ignored);
	return r == 1 || (r == 0 && back.ifindex != in->ifindex);
}

/* A packet came to a task, which has not the address that it is for. */
static void told_not_mine(struct way *w)
{
	char dst[IP_TEXT], fix[400];
	json *hop = way_tell(w, "address", "the task does not have the address %s",
			     ip_text(&w->p.dst, dst));

	way_command(hop, "%s addr show", w->at->ip);
	way_why(hop, "A task is no router: what is not for itself it throws away.");
	way_ends(w, hop, FATE_DIES, "%s", way_routes(w, w->at->row, &w->p.dst, fix));
}

static void told_no_route(struct way *w, int why)
{
	static const struct {
		int why;
		const char *words;
	} rows[] = {
		{ EHOSTUNREACH, "a route of type unreachable refuses it" },
		{ EACCES, "a route of type prohibit refuses it" },
		{ EINVAL,
		  "a route of type blackhole takes it, or no packet may have these addresses" },
	};
	const json *row = w->at->path ? w->at->row : way_owner(w, &w->p.dst);
	const char *words = "there is no route";
	char dst[IP_TEXT], fix[400] = "";
	json *hop;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].why == why)
			words = rows[i].words;
	hop = way_tell(w, "route", "%s: %s", ip_text(&w->p.dst, dst), words);
	way_command(hop, "%s route get %s", w->at->ip, dst);
	way_why(hop, "Without a route a packet is given up where it is.");
	if (row)
		way_routes(w, row, w->at->path ? &w->p.src : &w->p.dst, fix);
	else if (why == ENETUNREACH)
		snprintf(fix, sizeof(fix),
			 "give the host a way out: ip route add default via ROUTER");
	way_ends(w, hop, FATE_DIES, "%s", why == ENETUNREACH ? fix : "");
}

/* The kernel has refused: find what it meant. */
static void told_refusal(struct way *w, int why, struct err *e)
{
	const json *row = w->at->path ? w->at->row : way_owner(w, &w->p.dst);
	struct link_info in = { .name = "lo" };
	struct place *at = w->at;

	if (w->iif && link_by_index(&at->route, w->iif, &in, e) != 0)
		return;
	if (w->iif && is_wrong_way_in(w, &in, why))
		told_wrong_way_in(w, in.name);
	else if (w->iif && at->path)
		told_not_mine(w);
	else if (w->iif && why == EHOSTUNREACH &&
		 way_sysctl(w, at, 1, "net/ipv4/conf/%s/forwarding", in.name) == 0)
		told_not_forwarded(w, "IPv4", "net.ipv4.ip_forward");
	else if (!row || !told_down(w, row, e))
		told_no_route(w, why);
}

/* ---- a route that leads elsewhere ---- */

/* The host knows by which interface each task is reached: any other is the wrong one. */
static bool told_astray(struct way *w, const struct route_way *way, struct err *e)
{
	const json *row = w->at->path || way->local ? NULL : way_owner(w, &w->p.dst);
	struct link_info link;
	char dst[IP_TEXT], fix[400];
	json *hop;

	if (!row || !*live_text(row, "hostInterface") || told_down(w, row, e))
		return row && w->fate;
	if (link_by_index(&w->at->route, way->ifindex, &link, e) != 0 ||
	    !strcmp(link.name, needed_link(w, row)))
		return false;
	hop = way_tell(w, "route", "%s leads to %s, and not to %s, where task %s is",
		       way->match.len ? "another route" : "the default route", link.name,
		       needed_link(w, row), live_text(row, "task"));
	way_command(hop, "ip route get %s", ip_text(&w->p.dst, dst));
	way_why(hop, "The route of the task itself is gone; the next best one takes its place.");
	way_ends(w, hop, FATE_DIES, "%s", way_routes(w, row, &w->p.dst, fix));
	return true;
}

static void tell_route(struct way *w, const struct route_way *way, const char *in, struct err *e)
{
	char dst[IP_TEXT], match[IP_TEXT], gw[IP_TEXT], src[IP_TEXT];
	struct link_info link = { .name = "?" };
	json *hop;

	ip_text(&w->p.dst, dst);
	cidr_text(&way->match, match);
	if (way->local)
		hop = way_tell(w, "route", "%s is an address of this namespace", dst);
	else if (link_by_index(&w->at->route, way->ifindex, &link, e) == 0 && ip_is_set(&way->gw))
		hop = way_tell(w, "route", "%s via %s dev %s", way->match.len ? match : "default",
			       ip_text(&way->gw, gw), link.name);
	else
		hop = way_tell(w, "route", "%s dev %s", way->match.len ? match : "default",
			       link.name);
	way_command(hop, "%s route get %s%s%s%s%s", w->at->ip, dst, w->iif ? " from " : "",
		    w->iif ? ip_text(&w->p.src, src) : "", w->iif ? " iif " : "", w->iif ? in : "");
	way_why(hop,
		way->local ? "The table local says so; nothing is sent on."
		: ip_is_set(&way->gw)
			? "The longest prefix that fits decides; the gateway takes it further."
			: "The longest prefix that fits decides; the destination is on that link.");
}

int way_routed(struct way *w, struct route_way *ret, struct err *e)
{
	struct route_ask ask = { .dst = w->p.dst, .iif = w->iif };
	struct link_info in = { .name = "lo" };
	int why = 0, r;

	if (!w->any_source)
		ask.src = w->p.src;
	r = route_way_find(&w->at->route, &ask, ret, &why, e);
	if (r < 0)
		return r;
	if (r == 1) {
		told_refusal(w, why, e);
		return w->fate ? 0
			       : err_set(e, ERR_KERNEL, ENODEV, "the interface %u is gone", w->iif);
	}
	if (w->any_source && ip_is_set(&ret->src))
		w->p.src = ret->src;
	w->any_source = false;
	if (told_astray(w, ret, e))
		return 0;
	if (w->iif && w->at->path && !ret->local) {
		told_not_mine(w);
		return 0;
	}
	if (w->iif)
		link_by_index(&w->at->route, w->iif, &in, e);
	tell_route(w, ret, in.name, e);
	if (w->iif && !ret->local && w->p.dst.family == AF_INET6 &&
	    way_sysctl(w, w->at, 1, "net/ipv6/conf/all/forwarding") == 0)
		told_not_forwarded(w, "IPv6", "net.ipv6.conf.all.forwarding");
	return 0;
}

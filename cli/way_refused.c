/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why the kernel does not route a packet: a link that is down, forwarding that is off, rp_filter, a
 * rule of policy routing or a route that refuses, or no route.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "kernel/rule.h"
#include "way.h"

/* ---- links ---- */

const char *way_needed_link(const struct way *w, const json *row)
{
	if (w->at->path)
		return live_text(row, "interface");
	return *live_text(row, "bridge") ? live_text(row, "bridge")
					 : live_text(row, "hostInterface");
}

static bool told_without_ipv6(struct way *w, const char *dev)
{
	json *hop;

	if (w->p.dst.family != AF_INET6 ||
	    way_sysctl(w, w->at, 0, "net/ipv6/conf/%s/disable_ipv6", dev) == 0)
		return false;
	hop = way_tell(w, "link", "%s has IPv6 turned off (disable_ipv6)", dev);
	way_command(hop, "%ssysctl net/ipv6/conf/%s/disable_ipv6", w->at->run, dev);
	way_why(hop, "An interface with disable_ipv6 takes and sends no IPv6 packet, and has no "
		     "IPv6 addresses and routes.");
	way_ends(w, hop, FATE_DIES, "%ssysctl -w net/ipv6/conf/%s/disable_ipv6=0", w->at->run, dev);
	return true;
}

bool way_told_down(struct way *w, const json *row, struct err *e)
{
	const char *name = way_needed_link(w, row);
	struct link_info link;

	if (!*name || link_by_name(&w->at->route, name, &link, e) != 0)
		return false;
	return !way_is_up(w, w->at, &link) || told_without_ipv6(w, name);
}

bool way_told_deaf(struct way *w, const struct link_info *in)
{
	return told_without_ipv6(w, in->name);
}

/* ---- forwarding ---- */

/* A host that forwards IPv6 takes router advertisements only with accept_ra 2. */
static void keep_advertised(struct way *w, struct text *fix)
{
	struct route_uplink uplink = { .ifindex = 0 };
	struct err ignored;

	if (route_uplink_find(&w->at->route, AF_INET6, &uplink, &ignored) == 0 && uplink.ifindex &&
	    way_sysctl(w, w->at, 0, "net/ipv6/conf/%s/accept_ra", uplink.name) == 1)
		text_add(fix, "%ssysctl -w net/ipv6/conf/%s/accept_ra=2; ", w->at->run,
			 uplink.name);
}

static void told_not_forwarded(struct way *w, const char *path, const char *of)
{
	bool v6 = w->p.dst.family == AF_INET6;
	char commands[400];
	struct text fix;
	json *hop = way_tell(w, "forwarding", "%s does not forward %s%s: %s is 0",
			     w->at->path ? "the task" : "the host", v6 ? "IPv6" : "IPv4", of, path);

	text_init(&fix, commands, sizeof(commands));
	way_command(hop, "%ssysctl %s", w->at->run, path);
	way_why(hop, "Between two interfaces a kernel passes nothing on, unless it is told to be a "
		     "router.");
	if (v6)
		keep_advertised(w, &fix);
	text_add(&fix, "%ssysctl -w %s=1", w->at->run, path);
	way_ends(w, hop, FATE_DIES, "%s", commands);
}

/* ip_forward sets all interfaces when it changes, but each may be set apart from it. */
static bool told_no_forwarding(struct way *w, const struct link_info *in)
{
	char path[64], of[64];

	if (way_sysctl(w, w->at, 1, "net/ipv4/ip_forward") == 0) {
		told_not_forwarded(w, "net.ipv4.ip_forward", "");
		return true;
	}
	if (way_sysctl(w, w->at, 1, "net/ipv4/conf/%s/forwarding", in->name) != 0)
		return false;
	snprintf(path, sizeof(path), "net/ipv4/conf/%s/forwarding", in->name);
	snprintf(of, sizeof(of), " of %s", in->name);
	told_not_forwarded(w, path, of);
	return true;
}

bool way_told_unforwarded6(struct way *w, const struct link_info *in)
{
	if (w->p.dst.family != AF_INET6 ||
	    way_sysctl(w, w->at, 1, "net/ipv6/conf/all/forwarding") != 0 ||
	    way_sysctl(w, w->at, 0, "net/ipv6/conf/%s/force_forwarding", in->name) != 0)
		return false;
	told_not_forwarded(w, "net.ipv6.conf.all.forwarding", "");
	return true;
}

/* ---- rules of policy routing ---- */

/* A rule before @d's, for the subnet of the task that has @ip, or for that address alone. */
static void add_rule_fix(struct way *w, const struct rule_decision *d, const struct ip *ip,
			 struct text *fix)
{
	const json *owner = w->at->path ? NULL : way_owner(w, ip);
	struct cidr prefix = cidr_host(ip);
	char text[IP_TEXT];

	for (const json *a = json_first(json_get(owner, "addresses")); a; a = json_next(a)) {
		struct cidr c;

		if (cidr_parse(live_text(a, "address"), &c) && ip_equal(&c.ip, ip))
			prefix = (struct cidr){ cidr_first(&c), c.len };
	}
	if (d->rule.maker == RULE_PROTOCOL) {
		text_add(fix, "taskvpc gc");
		return;
	}
	if (!d->before)
		return;
	text_add(fix, "%s%s rule add pref %u to %s ", w->at->ip,
		 ip->family == AF_INET6 ? " -6" : "", d->before - 1, cidr_text(&prefix, text));
	if (d->ours) /* which judge the packet all the same */
		text_add(fix, "goto %u", d->ours);
	else
		text_add(fix, "lookup main");
}

static const char *shown_rule(const struct rule_decision *d, char buf[static 200])
{
	struct text t;

	text_init(&t, buf, 200);
	text_add(&t, "%u: ", d->rule.priority);
	rule_text(&d->rule, &t);
	return buf;
}

int way_rule(struct way *w, const struct route_ask *ask, struct rule_decision *ret)
{
	struct link_info in = { .name = "lo" };
	struct err ignored;

	if (ask->iif && link_by_index(&w->at->route, ask->iif, &in, &ignored) != 0)
		return -ENODEV;
	return rule_walk(&w->at->route, ask, in.name, ret, &ignored);
}

bool way_is_usual(const struct rule_decision *d)
{
	return !d->by_rule && (d->rule.table == RT_TABLE_MAIN || d->rule.table == RT_TABLE_LOCAL ||
			       d->rule.table == RT_TABLE_DEFAULT);
}

void way_told_ruled(struct way *w, const struct rule_decision *d, const struct ip *ip,
		    const char *where)
{
	char rule[200], text[IP_TEXT], commands[300] = "";
	struct text fix;
	json *hop = way_tell(w, "rule", "the routing rule \"%s\" %s %s%s", shown_rule(d, rule),
			     d->by_rule ? "refuses" : "sends", ip_text(ip, text), where);

	text_init(&fix, commands, sizeof(commands));
	way_command(hop, "%s%s rule show pref %u", w->at->ip, ip->family == AF_INET6 ? " -6" : "",
		    d->rule.priority);
	way_why(hop, "The rules of policy routing are asked in their order; the first whose table "
		     "has a route decides, and the table main is one of the last.");
	add_rule_fix(w, d, ip, &fix);
	way_ends(w, hop, FATE_DIES, "%s", commands);
}

/* ---- rp_filter ---- */

static void told_wrong_way_in(struct way *w, const char *dev)
{
	const json *owner = w->at->path ? NULL : way_owner(w, &w->p.src);
	const struct route_ask back = { .dst = w->p.src, .src = w->p.dst };
	struct rule_decision d;
	char src[IP_TEXT], fix[400];
	json *hop = way_tell(w, "rp_filter", "what comes from %s should not come in by %s",
			     ip_text(&w->p.src, src), dev);

	way_command(hop, "%s route get %s; %ssysctl net/ipv4/conf/%s/rp_filter", w->at->ip, src,
		    w->at->run, dev);
	way_why(hop, "rp_filter: a packet is taken only from the interface that leads back to its "
		     "source.");
	if (owner && way_rule(w, &back, &d) == 0 && !way_is_usual(&d))
		way_told_ruled(w, &d, &w->p.src, " elsewhere");
	else if (owner) /* a task's route is gone: that is what is wrong, not the filter */
		way_ends(w, hop, FATE_DIES, "%s", way_routes(w, owner, &w->p.src, fix));
	else
		way_ends(w, hop, FATE_DIES, "%ssysctl -w net/ipv4/conf/%s/rp_filter=2", w->at->run,
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

/* ---- routes ---- */

void way_told_not_mine(struct way *w)
{
	char dst[IP_TEXT], fix[400];
	json *hop = way_tell(w, "address", "the task does not have the address %s",
			     ip_text(&w->p.dst, dst));

	way_command(hop, "%s addr show", w->at->ip);
	way_why(hop, "A task is no router: what is not for itself it throws away.");
	way_ends(w, hop, FATE_DIES, "%s", way_routes(w, w->at->row, &w->p.dst, fix));
}

static const char *type_name(uint8_t type)
{
	return type == RTN_UNREACHABLE ? "unreachable"
	       : type == RTN_PROHIBIT  ? "prohibit"
	       : type == RTN_BLACKHOLE ? "blackhole"
				       : NULL;
}

/*
 * A route that refuses. On the host one for more than the task's address is passed by with the
 * task's own route; else it goes, unless it is of a plan (proto static), which refuses on purpose.
 */
static void told_refusing(struct way *w, const struct rule_decision *d, const json *row)
{
	bool v6 = w->p.dst.family == AF_INET6, whole = d->match.len == ip_bits(&w->p.dst);
	char dst[IP_TEXT], match[IP_TEXT], fix[400] = "";
	const char *type = type_name(d->type);
	struct text t;
	json *hop;

	ip_text(&w->p.dst, dst);
	cidr_text(&d->match, match);
	if (!row && d->match.len && d->protocol == RTPROT_STATIC && d->type == RTN_UNREACHABLE)
		hop = way_tell(w, "route", "no task has the address %s: %s is unreachable", dst,
			       match);
	else
		hop = way_tell(w, "route", "%s: the route \"%s %s\" of table %u refuses it", dst,
			       type, match, d->rule.table);

	way_command(hop, "%s%s route show table %u type %s", w->at->ip, v6 ? " -6" : "",
		    d->rule.table, type);
	way_why(hop, "A route of such a type says that there is no way, and no shorter prefix is "
		     "asked any more.");
	text_init(&t, fix, sizeof(fix));
	if (row && !whole && !w->at->path)
		way_routes(w, row, &w->p.dst, fix);
	else if (!row && !d->match.len)
		text_add(&t, "%s%s route add default via ROUTER", w->at->ip, v6 ? " -6" : "");
	else if (d->protocol != RTPROT_STATIC)
		text_add(&t, "%s%s route del %s %s table %u metric %u", w->at->ip, v6 ? " -6" : "",
			 type, match, d->rule.table, d->priority);
	way_ends(w, hop, FATE_DIES, "%s", fix);
}

static void told_no_route(struct way *w, int why)
{
	const json *row = w->at->path ? w->at->row : way_owner(w, &w->p.dst);
	char dst[IP_TEXT], fix[400] = "";
	json *hop = way_tell(w, "route", "%s: %s", ip_text(&w->p.dst, dst),
			     why == ENETUNREACH ? "there is no route"
						: "no packet may have these addresses");

	way_command(hop, "%s route get %s", w->at->ip, dst);
	way_why(hop, "Without a route a packet is given up where it is.");
	if (row)
		way_routes(w, row, w->at->path ? &w->p.src : &w->p.dst, fix);
	else if (why == ENETUNREACH)
		snprintf(fix, sizeof(fix), "%s%s route add default via ROUTER", w->at->ip,
			 w->p.dst.family == AF_INET6 ? " -6" : "");
	way_ends(w, hop, FATE_DIES, "%s", why == ENETUNREACH ? fix : "");
}

/* No route that is usable: who refuses, a rule or a route? */
static void told_unrouted(struct way *w, const struct route_ask *ask, int why)
{
	const json *row = w->at->path ? w->at->row : way_owner(w, &w->p.dst);
	struct rule_decision d;
	int r = way_rule(w, ask, &d);

	if (r == 0 && d.by_rule)
		way_told_ruled(w, &d, &w->p.dst, "");
	else if (r == 0 && type_name(d.type) && !way_is_usual(&d))
		way_told_ruled(w, &d, &w->p.dst, " to a route that refuses it");
	else if (r == 0 && type_name(d.type))
		told_refusing(w, &d, row);
	else
		told_no_route(w, why);
}

void way_refused(struct way *w, const struct route_ask *ask, int why, struct err *e)
{
	const json *row = w->at->path ? w->at->row : way_owner(w, &w->p.dst);
	struct link_info in = { .name = "lo" };

	if (w->iif && link_by_index(&w->at->route, w->iif, &in, e) != 0)
		return;
	if (w->iif && is_wrong_way_in(w, &in, why))
		told_wrong_way_in(w, in.name);
	else if (w->iif && w->at->path)
		way_told_not_mine(w);
	else if (w->iif && why == EHOSTUNREACH && w->p.dst.family == AF_INET &&
		 told_no_forwarding(w, &in))
		return;
	else if (!row || !way_told_down(w, row, e))
		told_unrouted(w, ask, why);
}

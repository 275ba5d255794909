/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One task, looked at from both ends of its link: what the record promises is asked for in the
 * kernel, and what is not so is a problem with its remedy.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "mode/ruleset.h"
#include "portmap.h"
#include "topology.h"

#define TASK_ADDRESSES 64

void look_problem(struct topology_look *look, const char *task, const char *fix, const char *fmt,
		  ...)
{
	json *one = json_add_object(look->problems, NULL);
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (*task)
		json_add_string(one, "task", task);
	json_add_string(one, "finding", text);
	if (*fix)
		json_add_string(one, "fix", fix);
}

const char *look_shell(const char *ifname, char buf[static LOOK_SHELL])
{
	struct text t;

	text_init(&t, buf, LOOK_SHELL);
	text_add_shell(&t, ifname);
	return buf;
}

/* A task that is being looked at. */
struct subject {
	struct topology_look *look;
	const json *row;
	const char *name, *ifname;
	struct netlink nl; /* in its namespace */
	struct link_info link;
	bool has_link, broken;
	json *task;
	const char *wire;
};

static void complain(struct subject *s, const char *fix, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void complain(struct subject *s, const char *fix, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->broken = true;
	look_problem(s->look, s->name, fix, "%s", text);
}

/* ---- the task's end ---- */

static void copy(struct subject *s, const char *key)
{
	if (json_get(s->row, key))
		json_add_copy(s->task, key, json_get(s->row, key));
}

static void judge_link(struct subject *s)
{
	char ip[LIVE_IP_TEXT], name[LOOK_SHELL], fix[400];

	if (!s->has_link) {
		s->wire = "gone";
		complain(s, "start the task anew", "its interface %s is gone", s->ifname);
	} else if (!(s->link.flags & IFF_UP)) {
		s->wire = "down";
		snprintf(fix, sizeof(fix), "%s link set %s up && taskvpc check %.63s",
			 live_ip(s->row, ip), look_shell(s->ifname, name), s->name);
		complain(s, fix, "its interface %s is down", s->ifname);
	}
}

static bool is_recorded(const json *list, const struct cidr *c)
{
	struct cidr one;

	for (const json *a = json_first(list); a; a = json_next(a))
		if (cidr_parse(live_text(a, "address"), &one) && cidr_equal(&one, c))
			return true;
	return false;
}

/* Its subnet is not on its link: the host routes within it, too. */
static bool is_routed(const json *row)
{
	return !strcmp(live_text(row, "mode"), "awsvpc-veth");
}

/* Those of the record that are there, then what others gave it. */
static void add_addresses(struct subject *s)
{
	const json *recorded = json_get(s->row, "addresses");
	json *list = json_add_array(s->task, "addresses");
	struct addr_info all[TASK_ADDRESSES];
	char text[IP_TEXT], fix[400], ip[LIVE_IP_TEXT], name[LOOK_SHELL];
	struct err ignored;
	unsigned n = 0;

	for (const json *a = json_first(recorded); a; a = json_next(a)) {
		const char *address = live_text(a, "address");
		struct cidr c;

		if (!cidr_parse(address, &c))
			continue;
		if (addr_find(&s->nl, s->link.ifindex, &c, &ignored) == 0) {
			json_add_string(list, NULL, address);
			continue;
		}
		snprintf(fix, sizeof(fix), "%s addr add %s dev %s%s", live_ip(s->row, ip), address,
			 look_shell(s->ifname, name), is_routed(s->row) ? " noprefixroute" : "");
		complain(s, fix, "%s has not its address %s", s->ifname, address);
	}
	addr_lasting(&s->nl, s->link.ifindex, all, TASK_ADDRESSES, &n, &ignored);
	for (unsigned i = 0; i < n; i++)
		if (!is_recorded(recorded, &all[i].cidr))
			json_add_string(list, NULL, cidr_text(&all[i].cidr, text));
}

/* Without a way to its gateway it reaches nobody; the other routes are a matter for CHECK. */
static void judge_gateways(struct subject *s)
{
	char fix[100];
	struct err ignored;

	for (const json *a = json_first(json_get(s->row, "addresses")); a; a = json_next(a)) {
		struct route_ask ask = { .iif = 0 };
		struct route_way way;
		int why;

		if (!ip_parse(live_text(a, "gateway"), &ask.dst) ||
		    (route_way_find(&s->nl, &ask, &way, &why, &ignored) == 0 &&
		     way.ifindex == s->link.ifindex))
			continue;
		snprintf(fix, sizeof(fix), "taskvpc check %.63s", s->name);
		complain(s, fix, "it has no route to its gateway %s", live_text(a, "gateway"));
	}
}

static void add_recorded(struct subject *s)
{
	json *list = json_add_array(s->task, "addresses");

	for (const json *a = json_first(json_get(s->row, "addresses")); a; a = json_next(a))
		json_add_string(list, NULL, live_text(a, "address"));
	copy(s, "mac");
}

/* Of mode none there is loopback alone, tasks of host have no namespace, and what has but its
 * addresses from us was made by others. */
static bool has_interface(const json *row)
{
	const char *mode = live_text(row, "mode");

	return strcmp(mode, "none") != 0 && strcmp(mode, "host") != 0 &&
	       strcmp(mode, "ipam") != 0 && *live_text(row, "interface") &&
	       *live_text(row, "netns");
}

static void look_inside(struct subject *s)
{
	struct netns ns = NETNS_NONE;
	struct err e;
	int r = netns_open(live_text(s->row, "netns"), &s->look->host, &ns, &e);

	if (r == 0)
		r = netlink_open(NETLINK_ROUTE, &ns, &s->look->host, &s->nl, &e);
	netns_close(&ns);
	if (r == 0) {
		char mac[MAC_TEXT];

		s->has_link = link_by_name(&s->nl, s->ifname, &s->link, &e) == 0;
		if (s->has_link && mac_is_set(&s->link.mac))
			json_add_string(s->task, "mac", mac_text(&s->link.mac, mac));
		judge_link(s);
	} else {
		complain(s, e.details, "%s", e.msg);
	}
	if (s->has_link)
		add_addresses(s);
	else
		add_recorded(s);
	if (s->has_link && s->link.flags & IFF_UP)
		judge_gateways(s);
}

/* ---- the host's end ---- */

static const struct link_info *judge_host_end(struct subject *s)
{
	const char *name = live_text(s->row, "hostInterface");
	const struct link_info *end = look_named(s->look, name);
	char fix[128], mac[MAC_TEXT];

	if (!end) {
		s->wire = "gone";
		if (s->has_link)
			complain(s, "start the task anew", "the host's end %s is gone", name);
		return NULL;
	}
	if (mac_is_set(&end->mac))
		json_add_string(s->task, "hostMac", mac_text(&end->mac, mac));
	if (!(end->flags & IFF_UP)) {
		s->wire = "down";
		snprintf(fix, sizeof(fix), "ip link set %s up && taskvpc check %.63s", name,
			 s->name);
		complain(s, fix, "the host's end %s is down", name);
	} else if (s->has_link && end->link != s->link.ifindex) {
		s->wire = "gone";
		complain(s, "start the task anew", "%s is not the other end of its %s", name,
			 s->ifname);
	}
	return end;
}

/* As the plan has it: from the gateway's address, because the host may have no other. */
static void miss_route(struct subject *s, const json *address, const struct ip *to, const char *dev)
{
	const char *gateway = live_text(address, "gateway");
	bool from = to->family == AF_INET && *gateway;
	char ip[IP_TEXT], fix[200];

	ip_text(to, ip);
	snprintf(fix, sizeof(fix), "ip%s route add %s dev %s%s%s proto static",
		 to->family == AF_INET6 ? " -6" : "", ip, dev, from ? " src " : "",
		 from ? gateway : "");
	complain(s, fix, "the host has no route to %s", ip);
}

/* The host must know the way to each address. */
static void judge_routes(struct subject *s, const struct link_info *end)
{
	struct err ignored;

	for (const json *a = json_first(json_get(s->row, "addresses")); a; a = json_next(a)) {
		struct route_spec to = { .ifindex = end->ifindex };
		struct cidr c;

		if (!cidr_parse(live_text(a, "address"), &c))
			continue;
		to.dst = cidr_host(&c.ip);
		if (route_find(&s->look->route, &to, &ignored) == 1)
			miss_route(s, a, &c.ip, end->name);
	}
}

/* Of a bridge that is gone or down, or a master, the group itself tells. */
static void judge_joint(struct subject *s, const struct link_info *end, const char *bridge)
{
	const struct link_info *joint = look_named(s->look, bridge);
	char fix[200], name[LOOK_SHELL];

	if (!joint || !(joint->flags & IFF_UP)) {
		s->wire = joint ? "down" : "gone";
		s->broken = true;
	} else if (end && end->master != joint->ifindex) {
		s->wire = "gone";
		snprintf(fix, sizeof(fix), "ip link set %s master %s", end->name,
			 look_shell(bridge, name));
		complain(s, fix, "%s is no port of the bridge %s", end->name, bridge);
	}
}

static bool leads_to(struct topology_look *look, struct nft_element *el, const struct ip *to,
		     int64_t port)
{
	struct err ignored;

	return nft_map_get(&look->nft, TASKVPC_TABLE, el, &ignored) == 0 &&
	       ip_equal(&el->data[0].net.ip, to) && el->data[1].number == port;
}

static uint8_t protocol_of(const json *port)
{
	const char *name = live_text(port, "protocol");

	return !strcmp(name, "udp")    ? IPPROTO_UDP
	       : !strcmp(name, "sctp") ? IPPROTO_SCTP
				       : IPPROTO_TCP;
}

/* Does a published port lead to this address, where it should? */
static void judge_port(struct subject *s, const json *port, const struct ip *to)
{
	int64_t host = 0, own = 0;
	struct ip ip = { .family = 0 };
	bool one = ip_parse(live_text(port, "hostIP"), &ip) && !ip_is_unspecified(&ip);
	struct nft_element el;

	if (ip_is_set(&ip) && ip.family != to->family)
		return;
	ip.family = to->family;
	json_integer(json_get(port, "hostPort"), &host);
	json_integer(json_get(port, "containerPort"), &own);
	el = portmap_element(&ip, one, protocol_of(port), (uint16_t)host);
	if (!leads_to(s->look, &el, to, own))
		complain(s, "taskvpc gc", "port %u/%s of the host does not lead to it",
			 (unsigned)host, live_text(port, "protocol"));
}

static void judge_ports(struct subject *s)
{
	bool seen[2] = { false, false };

	for (const json *a = json_first(json_get(s->row, "addresses")); a; a = json_next(a)) {
		struct cidr c;

		/* A port leads to the first address of each family. */
		if (!cidr_parse(live_text(a, "address"), &c) || seen[c.ip.family == AF_INET6])
			continue;
		seen[c.ip.family == AF_INET6] = true;
		for (const json *p = json_first(json_get(s->row, "held")); p; p = json_next(p))
			judge_port(s, p, &c.ip);
	}
}

static void look_outside(struct subject *s)
{
	const char *bridge = live_text(s->row, "bridge"), *master = live_text(s->row, "master");
	const struct link_info *end = *live_text(s->row, "hostInterface") ? judge_host_end(s)
									  : NULL;

	if (*bridge || *master)
		judge_joint(s, end, *bridge ? bridge : master);
	else if (end && end->flags & IFF_UP && is_routed(s->row))
		judge_routes(s, end);
	if (*bridge)
		judge_ports(s);
}

/* ---- a task ---- */

static void look_alive(struct subject *s)
{
	look_inside(s);
	look_outside(s);
	netlink_close(&s->nl);
}

void look_task(struct topology_look *look, const json *row, json *list)
{
	static const char *const keys[] = { "task",    "network", "interface",    "mode",
					    "runtime", "netns",   "hostInterface" };
	struct subject s = { .look = look,
			     .row = row,
			     .name = live_text(row, "task"),
			     .ifname = live_text(row, "interface"),
			     .nl = NETLINK_CLOSED,
			     .wire = "up" };
	const char *state = live_text(row, "state");

	s.task = json_add_object(list, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		copy(&s, keys[i]);
	if (has_interface(row) && !strcmp(state, "up")) {
		look_alive(&s);
	} else {
		add_recorded(&s);
		s.wire = has_interface(row) ? "gone" : "";
	}
	if (!strcmp(state, "dead"))
		look_problem(look, s.name, "taskvpc gc", "it is gone, but holds %s",
			     *live_text(row, "address") ? live_text(row, "address") : "its place");
	if (!strcmp(state, "unknown"))
		look_problem(look, s.name, "",
			     *live_text(row, "error") ? "its record cannot be read: %s"
						      : "its namespace is not where it was%s",
			     live_text(row, "error"));
	json_add_string(s.task, "state", s.broken ? "broken" : state);
	if (*s.wire)
		json_add_string(s.task, "wire", s.wire);
	if (json_count(json_get(row, "held")))
		json_add_copy(s.task, "ports", json_get(row, "held"));
}

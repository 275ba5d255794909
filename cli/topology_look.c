/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One task, looked at from its own end of the link: what the record promises is asked for in the
 * kernel, and what is not so is a problem with its remedy.
 */
#include <linux/if.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "topology_subject.h"

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

void subject_complain(struct subject *s, const char *fix, const char *fmt, ...)
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
		subject_complain(s, "start the task anew", "its interface %s is gone", s->ifname);
	} else if (!(s->link.flags & IFF_UP)) {
		s->wire = "down";
		snprintf(fix, sizeof(fix), "%s link set %s up && taskvpc check %.63s",
			 live_ip(s->row, ip), look_shell(s->ifname, name), s->name);
		subject_complain(s, fix, "its interface %s is down", s->ifname);
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

bool subject_is_routed(const json *row)
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
			 look_shell(s->ifname, name),
			 subject_is_routed(s->row) ? " noprefixroute" : "");
		subject_complain(s, fix, "%s has not its address %s", s->ifname, address);
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
		subject_complain(s, fix, "it has no route to its gateway %s",
				 live_text(a, "gateway"));
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
	int r = live_netns(s->row, &s->look->host, &ns, &e);

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
		subject_complain(s, e.details, "%s", e.msg);
	}
	if (s->has_link)
		add_addresses(s);
	else
		add_recorded(s);
	if (s->has_link && s->link.flags & IFF_UP)
		judge_gateways(s);
}

/* ---- a task ---- */

static void look_alive(struct subject *s)
{
	look_inside(s);
	subject_outside(s);
	subject_find_end(s);
	netlink_close(&s->nl);
}

/* One without an interface of its own, or that cannot be visited: as its record has it. */
static void look_recorded(struct subject *s, const char *state)
{
	const char *address = live_text(s->row, "address"), *error = live_text(s->row, "error");
	bool dead = !strcmp(state, "dead");
	char fix[100];

	add_recorded(s);
	if (!has_interface(s->row))
		s->wire = "";
	else
		s->wire = dead ? "gone" : subject_far_wire(s);
	snprintf(fix, sizeof(fix), "taskvpc check %.63s", s->name);
	if (dead)
		look_problem(s->look, s->name, "taskvpc gc", "it is gone, but holds %s",
			     *address ? address : "its place");
	else if (strcmp(state, "up") != 0)
		look_problem(s->look, s->name, fix,
			     *error ? "its record cannot be read: %s"
				    : "its namespace is not where it was%s",
			     error);
}

void look_task(struct topology_look *look, const json *row, json *list)
{
	static const char *const keys[] = { "task",          "short",     "name",    "network",
					    "interface",     "mode",      "runtime", "netns",
					    "hostInterface", "hostAccess" };
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
	if (has_interface(row) && !strcmp(state, "up"))
		look_alive(&s);
	else
		look_recorded(&s, state);
	json_add_string(s.task, "state", s.broken ? "broken" : state);
	if (*s.wire)
		json_add_string(s.task, "wire", s.wire);
	if (json_count(json_get(row, "held")))
		json_add_copy(s.task, "ports", json_get(row, "held"));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From rows to groups: tasks by what joins them, each group with its subnets and its link. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "topology.h"

/* ---- which group is it of? ---- */

static const struct kind {
	const char *kind, *mode; /* mode NULL: all others */
} kinds[] = {
	/* In the order in which they are drawn. */
	{ "routed", "awsvpc-veth" }, { "bridge", "bridge" }, { "lan", "awsvpc-macvlan" },
	{ "host", "host" },          { "none", "none" },     { "other", NULL },
};

static const char *kind_of(const json *row)
{
	const struct kind *k = kinds;

	while (k->mode && strcmp(k->mode, live_text(row, "mode")) != 0)
		k++;
	return k->kind;
}

/* The subnet that an address is of, as its configuration names it, else as a prefix. */
static const char *subnet_name(const json *row, char buf[static IP_TEXT])
{
	struct cidr c;

	if (*live_text(row, "subnet") || !cidr_parse(live_text(row, "address"), &c))
		return live_text(row, "subnet");
	c.ip = cidr_first(&c);
	return cidr_text(&c, buf);
}

static const char *name_of(const json *row, const char *kind, char buf[static IP_TEXT])
{
	if (!strcmp(kind, "routed"))
		return subnet_name(row, buf);
	if (!strcmp(kind, "bridge"))
		return live_text(row, "bridge");
	if (!strcmp(kind, "lan"))
		return live_text(row, "master");
	return !strcmp(kind, "other") ? live_text(row, "mode") : kind;
}

/* The document is being made: what json_get lends for reading is ours to write. */
static json *ours(const json *j)
{
	return (json *)(uintptr_t)j;
}

static json *member(const json *group, const char *key)
{
	return ours(json_get(group, key));
}

/* Groups beside those of subnets may have tasks of several networks. */
static json *group_of(json *groups, const char *kind, const char *name, const char *network)
{
	bool routed = !strcmp(kind, "routed");
	json *group;

	for (const json *g = json_first(groups); g; g = json_next(g))
		if (is_kind(g, kind) && !strcmp(live_text(g, "name"), name) &&
		    (!routed || !strcmp(live_text(g, "network"), network)))
			return ours(g);
	group = json_add_object(groups, NULL);
	json_add_string(group, "kind", kind);
	json_add_string(group, "name", name);
	if (routed)
		json_add_string(group, "network", network);
	json_add_array(group, "tasks");
	json_add_array(group, "subnets");
	return group;
}

/* ---- tasks ---- */

/* By address, as it is a map of the subnet; then by name, task-2 before task-10. */
static int in_order(const void *a, const void *b)
{
	const json *x = *(const json *const *)a, *y = *(const json *const *)b;
	struct cidr cx = { .len = 0 }, cy = { .len = 0 };
	int r;

	cidr_parse(live_text(x, "address"), &cx);
	cidr_parse(live_text(y, "address"), &cy);
	r = ip_cmp(&cx.ip, &cy.ip);
	return r ? r : strverscmp(live_text(x, "task"), live_text(y, "task"));
}

static void add_kind(struct topology_look *look, const json **rows, unsigned n, const char *kind,
		     json *groups)
{
	char buf[IP_TEXT];

	for (unsigned i = 0; i < n; i++) {
		json *group;

		if (strcmp(kind_of(rows[i]), kind) != 0)
			continue;
		group = group_of(groups, kind, name_of(rows[i], kind, buf),
				 live_text(rows[i], "network"));
		look_task(look, rows[i], member(group, "tasks"));
	}
}

static int add_tasks(struct topology_look *look, const json *rows, json *groups, struct err *e)
{
	unsigned n = json_count(rows), i = 0;
	cleanup_free const json **sorted = calloc(n + 1, sizeof(*sorted));

	if (!sorted)
		return err_sys(e, ERR_IO, ENOMEM, "looking");
	for (const json *row = json_first(rows); row; row = json_next(row))
		sorted[i++] = row;
	qsort(sorted, n, sizeof(*sorted), in_order);
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		add_kind(look, sorted, n, kinds[k].kind, groups);
	return 0;
}

/* ---- subnets ---- */

static bool has_task_of(const json *group, const char *network)
{
	for (const json *t = json_first(json_get(group, "tasks")); t; t = json_next(t))
		if (!strcmp(live_text(t, "network"), network))
			return true;
	return false;
}

static bool has_address_in(const json *task, const char *subnet)
{
	struct cidr all, one;

	for (const json *a = json_first(json_get(task, "addresses")); a; a = json_next(a))
		if (cidr_parse(subnet, &all) && json_string(a) &&
		    cidr_parse(json_string(a), &one) && cidr_contains(&all, &one.ip))
			return true;
	return false;
}

/* A group is called after one subnet of its tasks; those of two families are in two. */
static bool is_of_group(const json *subnet, const json *group)
{
	if (!has_task_of(group, live_text(subnet, "network")))
		return false;
	if (!is_kind(group, "routed"))
		return true;
	for (const json *t = json_first(json_get(group, "tasks")); t; t = json_next(t))
		if (!strcmp(live_text(t, "network"), live_text(subnet, "network")) &&
		    has_address_in(t, live_text(subnet, "cidr")))
			return true;
	return false;
}

static void add_subnets(json *doc, const json *subnets)
{
	json *unused = json_add_array(doc, "unused");

	for (const json *s = json_first(subnets); s; s = json_next(s)) {
		bool used = false;

		for (const json *g = json_first(json_get(doc, "groups")); g; g = json_next(g)) {
			if (!is_of_group(s, g))
				continue;
			used = true;
			json_add_copy(member(g, "subnets"), NULL, s);
		}
		if (!used)
			json_add_copy(unused, NULL, s);
	}
}

/* Of a network that is not configured here: what the record of a task tells. */
static void add_forgotten(const json *group, const json *row)
{
	for (const json *a = json_first(json_get(row, "addresses")); a; a = json_next(a)) {
		json *one = json_add_object(member(group, "subnets"), NULL);
		char text[IP_TEXT];
		struct cidr c;

		json_add_string(one, "network", live_text(row, "network"));
		json_add_string(one, "subnet", live_text(a, "subnet"));
		if (cidr_parse(live_text(a, "address"), &c)) {
			c.ip = cidr_first(&c);
			json_add_string(one, "cidr", cidr_text(&c, text));
		}
		json_add_string(one, "gateway", live_text(a, "gateway"));
	}
}

static const json *row_of(const json *rows, const json *task)
{
	const json *row = json_first(rows);

	while (row && (strcmp(live_text(row, "task"), live_text(task, "task")) != 0 ||
		       strcmp(live_text(row, "network"), live_text(task, "network")) != 0))
		row = json_next(row);
	return row;
}

static void add_forgotten_subnets(const json *groups, const json *rows)
{
	for (const json *g = json_first(groups); g; g = json_next(g))
		if (is_kind(g, "routed") && !json_count(json_get(g, "subnets")))
			add_forgotten(g, row_of(rows, json_first(json_get(g, "tasks"))));
}

/* ---- the links that join them ---- */

static void judge_link(struct topology_look *look, const json *group, const json *link)
{
	const char *state = live_text(link, "state"), *name = live_text(link, "name");
	const char *what = is_kind(group, "bridge") ? "the bridge" : "the interface";
	char fix[120], word[LOOK_SHELL];

	snprintf(fix, sizeof(fix), "ip link set %s up", look_shell(name, word));
	if (!strcmp(state, "gone"))
		look_problem(look, "", "start its tasks anew", "%s %s is gone", what, name);
	else if (strcmp(state, "up") != 0)
		look_problem(look, "", !strcmp(state, "down") ? fix : "is its cable plugged in?",
			     "%s %s %s", what, name,
			     !strcmp(state, "down") ? "is down" : "has no carrier");
}

static void add_links(struct topology_look *look, json *groups)
{
	for (const json *g = json_first(groups); g; g = json_next(g))
		if (is_kind(g, "bridge") || is_kind(g, "lan"))
			judge_link(look, g, look_link(look, live_text(g, "name"), ours(g), "link"));
}

/* ---- forwarding ---- */

static bool has_routed_task(const json *doc, bool v6)
{
	for (const json *g = json_first(json_get(doc, "groups")); g; g = json_next(g)) {
		if (!is_kind(g, "routed") && !is_kind(g, "bridge"))
			continue;
		for (const json *t = json_first(json_get(g, "tasks")); t; t = json_next(t))
			for (const json *a = json_first(json_get(t, "addresses")); a;
			     a = json_next(a))
				if (!strchr(json_string(a), ':') == !v6)
					return true;
	}
	return false;
}

static void judge_forwarding(struct topology_look *look, const json *doc)
{
	const json *on = json_get(json_get(doc, "host"), "forwarding");

	if (!json_bool(json_get(on, "ipv4"), true) && has_routed_task(doc, false))
		look_problem(look, "", "sysctl -w net.ipv4.ip_forward=1",
			     "the host does not forward IPv4: its tasks reach it alone");
	if (!json_bool(json_get(on, "ipv6"), true) && has_routed_task(doc, true))
		look_problem(look, "", "sysctl -w net.ipv6.conf.all.forwarding=1",
			     "the host does not forward IPv6: its tasks reach it alone");
}

/* What concerns all of a group before what concerns one task. */
static void add_problems(json *doc, const json *problems)
{
	json *list = json_add_array(doc, "problems");

	for (int of_task = 0; of_task <= 1; of_task++)
		for (const json *p = json_first(problems); p; p = json_next(p))
			if ((json_get(p, "task") != NULL) == of_task)
				json_add_copy(list, NULL, p);
}

int topology_doc(const json *rows, const json *subnets, json **ret, struct err *e)
{
	cleanup_free struct topology_look *look = malloc(sizeof(*look));
	cleanup_json json *doc = json_object();
	json *groups = json_add_array(doc, "groups"), *problems = json_array();
	int r = look ? look_open(look, e) : err_sys(e, ERR_IO, ENOMEM, "looking");

	if (!look) {
		json_free(problems);
		return r;
	}
	look->problems = problems;
	out_stamp(doc);
	if (r == 0)
		r = add_tasks(look, rows, groups, e);
	if (r == 0) {
		add_subnets(doc, subnets);
		add_forgotten_subnets(groups, rows);
		add_links(look, groups);
		look_host(look, doc);
		judge_forwarding(look, doc);
		add_problems(doc, problems);
		*ret = doc;
		doc = NULL;
	}
	json_free(problems);
	look_close(look);
	return r;
}

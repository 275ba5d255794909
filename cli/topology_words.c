/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words for groups, tasks and ports, the same in every reading of the picture. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "topology.h"

unsigned topology_count(const json *doc)
{
	unsigned n = 0;

	for (const json *g = json_first(json_get(doc, "groups")); g; g = json_next(g))
		n += json_count(json_get(g, "tasks"));
	return n;
}

bool topology_is_dense(const json *doc, const json *group)
{
	return topology_count(doc) > FEW_TASKS && json_count(json_get(group, "tasks")) > FEW_HERE;
}

bool is_kind(const json *group, const char *kind)
{
	return !strcmp(live_text(group, "kind"), kind);
}

const char *shown_text(const json *object, const char *key, char buf[static WORDS_TEXT])
{
	text_printable(buf, WORDS_TEXT, live_text(object, key));
	return buf;
}

static int64_t number(const json *object, const char *key)
{
	int64_t n = 0;

	json_integer(json_get(object, key), &n);
	return n;
}

/* A list of strings, as " a b". */
static void add_list(struct text *t, const json *list)
{
	for (const json *i = json_first(list); i; i = json_next(i))
		text_add(t, " %s", json_string(i));
}

/* ---- groups ---- */

const char *group_name(const json *group, char buf[static WORDS_TEXT])
{
	static const char *const titles[][2] = {
		{ "host", "in the host's own network" },
		{ "none", "alone, with loopback only" },
		{ "other", "attached by other plugins" },
	};
	const json *subnets = json_get(group, "subnets");
	char name[WORDS_TEXT];
	struct text t;

	text_init(&t, buf, WORDS_TEXT);
	for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
		if (is_kind(group, titles[i][0]))
			text_add(&t, "%s", titles[i][1]);
	if (t.len)
		return buf;
	text_add(&t, "%s%.200s",
		 is_kind(group, "bridge") ? "bridge "
		 : is_kind(group, "lan")  ? "LAN of "
					  : "",
		 shown_text(group, "name", name));
	add_list(&t, json_get(json_get(group, "link"), "addresses"));
	for (const json *s = json_first(subnets); s && is_kind(group, "routed"); s = json_next(s))
		if (strcmp(live_text(s, "cidr"), live_text(group, "name")) != 0)
			text_add(&t, " %s", live_text(s, "cidr"));
	return buf;
}

/* JSON counts to 2^53; of a subnet with more addresses the number of all is what tells. */
static void add_free(struct text *t, const json *subnet)
{
	struct cidr c;

	if (number(subnet, "free") >= INT64_C(1) << 53 && cidr_parse(live_text(subnet, "cidr"), &c))
		text_add(t, "nearly 2^%u free", ip_bits(&c.ip) - c.len);
	else
		text_add(t, "%" PRId64 " free", number(subnet, "free"));
}

/* Of a network that is not configured here nothing is known but what its tasks know. */
static void add_usage(struct text *t, const json *subnet)
{
	int64_t leaked = number(subnet, "leaked");

	if (!json_get(subnet, "size")) {
		text_add(t, "not configured here");
		return;
	}
	text_add(t, "%" PRId64 " used, ", number(subnet, "used"));
	if (leaked)
		text_add(t, "%" PRId64 " leaked, ", leaked);
	add_free(t, subnet);
}

const char *subnet_about(const json *subnet, char buf[static WORDS_TEXT])
{
	char name[WORDS_TEXT], network[WORDS_TEXT];
	struct text t;

	text_init(&t, buf, WORDS_TEXT);
	shown_text(subnet, "subnet", name);
	text_add(&t, "%.100s%s%s of %.100s: ", name, *name ? " " : "", live_text(subnet, "cidr"),
		 shown_text(subnet, "network", network));
	add_usage(&t, subnet);
	return buf;
}

/* The networks of its tasks, each once. */
static void add_networks(struct text *t, const json *group)
{
	const json *tasks = json_get(group, "tasks");

	for (const json *i = json_first(tasks); i; i = json_next(i)) {
		const char *network = live_text(i, "network");
		const json *before = json_first(tasks);
		char shown[WORDS_TEXT];

		while (before != i && strcmp(live_text(before, "network"), network) != 0)
			before = json_next(before);
		if (before == i)
			text_add(t, "%s%.80s", t->len ? ", " : "", shown_text(i, "network", shown));
	}
}

static void add_state(struct text *t, const json *group, const char *between)
{
	const char *state = live_text(json_get(group, "link"), "state");

	if (*state && strcmp(state, "up") != 0)
		text_add(t, "%s%s", between, state);
}

const char *group_about(const json *group, const char *between, char buf[static WORDS_TEXT])
{
	const json *subnets = json_get(group, "subnets");
	struct text t;

	text_init(&t, buf, WORDS_TEXT);
	add_networks(&t, group);
	add_state(&t, group, between);
	for (const json *s = json_first(subnets); s; s = json_next(s)) {
		const char *gateway = live_text(s, "gateway");

		text_add(&t, "%s", between);
		if (is_kind(group, "routed") && *gateway)
			text_add(&t, "router %s%s", gateway, between);
		else if (!is_kind(group, "routed"))
			text_add(&t, "%s: ", live_text(s, "cidr"));
		add_usage(&t, s);
	}
	return buf;
}

/* ---- tasks ---- */

const char *task_name(const json *task, char buf[static WORDS_TEXT])
{
	const struct column col = { .key = "task" };
	struct cell cell = { .tone = TONE_PLAIN };

	cell_id(task, &col, &cell);
	text_copy(buf, WORDS_TEXT, cell.text);
	return buf;
}

const char *task_trouble(const json *task)
{
	const char *state = live_text(task, "state");

	if (!strcmp(state, "dead"))
		return "dead, leaked";
	return strcmp(state, "up") != 0 ? state : "";
}

enum tone task_tone(const json *task)
{
	const char *state = live_text(task, "state");

	if (!strcmp(state, "unknown"))
		return TONE_WARN;
	return strcmp(state, "up") != 0 ? TONE_BAD : TONE_GOOD;
}

const char *task_short_address(const json *task, char buf[static WORDS_TEXT])
{
	const char *text = json_string(json_first(json_get(task, "addresses")));
	struct text t;
	struct cidr c;

	text_init(&t, buf, WORDS_TEXT);
	if (!text || !cidr_parse(text, &c))
		return buf;
	if (c.ip.family == AF_INET6) {
		char ip[IP_TEXT];

		text_add(&t, "%s", ip_text(&c.ip, ip));
		return buf;
	}
	for (unsigned i = c.len < 32 ? c.len / 8 : 3; i < 4; i++)
		text_add(&t, ".%u", c.ip.b[i]);
	return buf;
}

/* ---- ports ---- */

/* Is @next the port after @port, at both ends? */
static bool follows(const json *port, const json *next)
{
	return next && number(next, "hostPort") == number(port, "hostPort") + 1 &&
	       number(next, "containerPort") == number(port, "containerPort") + 1 &&
	       !strcmp(live_text(next, "protocol"), live_text(port, "protocol")) &&
	       !strcmp(live_text(next, "hostIP"), live_text(port, "hostIP"));
}

static void add_range(struct text *t, const json *first, const json *last, const char *key)
{
	text_add(t, "%" PRId64, number(first, key));
	if (first != last)
		text_add(t, "-%" PRId64, number(last, key));
}

const json *ports_text(const json *port, const char *arrow, char buf[static WORDS_TEXT])
{
	const char *ip = live_text(port, "hostIP"), *protocol = live_text(port, "protocol");
	const json *last = port;
	struct text t;

	while (follows(last, json_next(last)))
		last = json_next(last);
	text_init(&t, buf, WORDS_TEXT);
	text_add(&t, strchr(ip, ':') ? "[%s]:" : *ip ? "%s:" : "%s", ip);
	add_range(&t, port, last, "hostPort");
	if (number(port, "containerPort") != number(port, "hostPort")) {
		text_add(&t, "%s", arrow);
		add_range(&t, port, last, "containerPort");
	}
	if (strcmp(protocol, "tcp") != 0)
		text_add(&t, "/%s", protocol);
	return json_next(last);
}

/* ---- the host ---- */

const char *gateways_text(const json *link, char buf[static WORDS_TEXT])
{
	struct text t;

	text_init(&t, buf, WORDS_TEXT);
	for (const json *g = json_first(json_get(link, "gateways")); g; g = json_next(g))
		text_add(&t, "%s%s", t.len ? ", " : "default via ", json_string(g));
	return buf;
}

const char *forwarding_text(const json *doc, char buf[static WORDS_TEXT])
{
	const json *on = json_get(json_get(doc, "host"), "forwarding");
	bool v4 = json_bool(json_get(on, "ipv4"), false),
	     v6 = json_bool(json_get(on, "ipv6"), false);

	snprintf(buf, WORDS_TEXT, "%s",
		 v4 && v6 ? "forwards IPv4 and IPv6"
		 : v4     ? "forwards IPv4 alone"
		 : v6     ? "forwards IPv6 alone"
			  : "does not forward");
	return buf;
}

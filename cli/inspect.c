/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inspect: all that is known of one task, or of one network. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "live.h"
#include "output.h"

static void cell_ports(const json *row, const struct column *col, struct cell *ret)
{
	struct text t;

	text_init(&t, ret->text, sizeof(ret->text));
	for (const json *p = json_first(json_get(row, col->key)); p; p = json_next(p)) {
		int64_t host = 0, own = 0;

		json_integer(json_get(p, "hostPort"), &host);
		json_integer(json_get(p, "containerPort"), &own);
		text_add(&t, "%s%s%s%" PRId64 " -> %" PRId64 "/%s", t.len ? ", " : "",
			 live_text(p, "hostIP"), *live_text(p, "hostIP") ? ":" : "", host, own,
			 live_text(p, "protocol"));
	}
}

static void cell_addresses(const json *row, const struct column *col, struct cell *ret)
{
	struct text t;

	text_init(&t, ret->text, sizeof(ret->text));
	for (const json *a = json_first(json_get(row, col->key)); a; a = json_next(a)) {
		text_add(&t, "%s%s", t.len ? ", " : "", live_text(a, "address"));
		if (*live_text(a, "gateway"))
			text_add(&t, " via %s", live_text(a, "gateway"));
		if (*live_text(a, "subnet"))
			text_add(&t, " (%s%s%s)", live_text(a, "subnet"),
				 *live_text(a, "az") ? ", " : "", live_text(a, "az"));
	}
	if (!t.len)
		text_add(&t, "-");
}

static void cell_containers(const json *row, const struct column *col, struct cell *ret)
{
	struct text t;

	text_init(&t, ret->text, sizeof(ret->text));
	for (const json *c = json_first(json_get(row, col->key)); c; c = json_next(c)) {
		int64_t pid = 0;

		json_integer(json_get(c, "pid"), &pid);
		text_add(&t, "%s%s (%s, pid %" PRId64 "):", t.len ? "; " : "", live_text(c, "name"),
			 live_text(c, "state"), pid);
		for (const json *w = json_first(json_get(c, "command")); w; w = json_next(w))
			text_add(&t, " %s", json_string(w));
	}
}

/* The path of a host task's namespace leads whoever reads it to its own. */
static void cell_netns(const json *row, const struct column *col, struct cell *ret)
{
	bool host = !strcmp(live_text(row, "mode"), "host");

	snprintf(ret->text, sizeof(ret->text), "%s",
		 host ? "the host's" : live_text(row, col->key));
}

static const struct column lines[] = {
	{ "Task", "task", NULL },
	{ "Name", "name", NULL },
	{ "Host name", "hostname", NULL },
	{ "State", "state", cell_state },
	{ "Mode", "mode", NULL },
	{ "Network", "network", NULL },
	{ "Interface", "interface", NULL },
	{ "Addresses", "addresses", cell_addresses },
	{ "MAC", "mac", NULL },
	{ "MTU", "mtu", NULL },
	{ "ENI", "eni", NULL },
	{ "Host's end", "hostInterface", NULL },
	{ "Its MAC", "hostMac", NULL },
	{ "Bridge", "bridge", NULL },
	{ "LAN by", "master", NULL },
	{ "Host access", "hostAccess", NULL },
	{ "Ports", "ports", cell_ports },
	{ "Namespace", "netns", cell_netns },
	{ "Age", "created", cell_age },
	{ "Started by", "runtime", NULL },
	{ "Containers", "containers", cell_containers },
	{ "Store", "store", NULL },
	{ "Error", "error", NULL },
	{ NULL, NULL, NULL },
};

static void show_task(const struct cli *c, const json *rows)
{
	if (c->json) {
		out_json(rows);
		return;
	}
	for (const json *row = json_first(rows); row; row = json_next(row)) {
		if (row != json_first(rows))
			putchar('\n');
		out_sheet(c, row, lines);
	}
}

/* A network of that name, as it is configured: a file of it can be made from this. */
static int show_network(const struct cli *c, const char *name)
{
	cleanup_networks struct networks all = { .n = 0 };
	const struct network *n;
	struct err ignored;

	if (live_networks(c, &all, &ignored) < 0)
		return 1;
	n = networks_get(&all, name);
	if (!n)
		return 1;
	if (!c->json)
		fprintf(stderr, "# network %s: %s\n", n->name, n->source);
	out_json(n->list);
	return EXIT_DONE;
}

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	cleanup_json json *all = NULL, *rows = NULL;
	int rest, r = cli_options(c, argc, argv, c, &rest, e);

	if (r)
		return r < 0 ? r : EXIT_DONE;
	r = cli_words(c, argc, argv, rest, 1, e);
	if (r == 0 && rest == argc) {
		cli_error(e, EXIT_USAGE, "no task");
		err_hint(e, "taskvpc inspect TASK|NETWORK; tasks: taskvpc ls");
		return -EINVAL;
	}
	if (r == 0)
		r = live_attachments(c, &all, e);
	if (r < 0)
		return r;
	r = live_find(all, argv[rest], &rows, e);
	if (r == 0)
		show_task(c, rows);
	else if (show_network(c, argv[rest]) == EXIT_DONE)
		r = EXIT_DONE;
	return r;
}

const struct command command_inspect = {
	.name = "inspect",
	.synopsis = "[OPTION]... TASK|NETWORK",
	.help = "tell everything about a task, or a network's configuration",
	.lesson =
		"A task of another runtime is found by the container's id, or enough of it, by the\n"
		"name of its pod or container, or by its host name. Of a network, its configuration:\n"
		"`taskvpc inspect lab-awsvpc > my.conflist` is a good begin of one's own.\n",
	.examples = "  taskvpc inspect web\n"
		    "  taskvpc inspect lab-bridge\n",
	.flags = COMMAND_ROOT,
	.run = run,
};

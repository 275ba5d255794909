/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ports: who has which port of the host. */
#include <stdio.h>

#include "live.h"
#include "output.h"

static void cell_port(const json *row, const struct column *col, struct cell *ret)
{
	const char *ip = live_text(row, "hostIP");
	int64_t port = 0;

	json_integer(json_get(row, col->key), &port);
	snprintf(ret->text, sizeof(ret->text), "%s:%u/%s", *ip ? ip : "*", (unsigned)port,
		 live_text(row, "protocol"));
}

static const struct column columns[] = {
	{ "HOST PORT", "hostPort", cell_port }, { "TASK", "task", cell_id },
	{ "NAME", "name", cell_optional },      { "PORT", "containerPort", cell_number },
	{ "ADDRESS", "address", NULL },         { "MODE", "mode", NULL },
	{ "NETWORK", "network", NULL },         { "AGE", "created", cell_age },
	{ "STATE", "state", cell_state },       { NULL, NULL, NULL },
};

/* A row for each port that an attachment keeps from others. */
static void add_held(json *list, const json *row)
{
	static const char *const keys[] = { "task", "short",   "name",    "address",
					    "mode", "network", "created", "state" };

	for (const json *p = json_first(json_get(row, "held")); p; p = json_next(p)) {
		json *one = json_add_object(list, NULL);

		for (const json *i = json_first(p); i; i = json_next(i))
			json_add_copy(one, json_key(i), i);
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (json_get(row, keys[i]))
				json_add_copy(one, keys[i], json_get(row, keys[i]));
	}
}

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	cleanup_json json *rows = NULL, *list = json_array();
	int rest, r = cli_options(c, argc, argv, c, &rest, e);

	if (r)
		return r < 0 ? r : EXIT_DONE;
	r = cli_words(c, argc, argv, rest, 0, e);
	if (r == 0)
		r = live_attachments(c, &rows, e);
	if (r < 0)
		return r;
	for (const json *row = json_first(rows); row; row = json_next(row))
		add_held(list, row);
	out_list(c, list, columns, "no port of the host is held by a task");
	return EXIT_DONE;
}

const struct command command_ports = {
	.name = "ports",
	.synopsis = "[OPTION]...",
	.help = "tell who holds which port of the host",
	.lesson =
		"A port of the host has one holder. In bridge mode it leads to a port of the\n"
		"task, and one that was asked for as :80 is chosen from the dynamic ports; in host\n"
		"mode the task listens on it itself. An awsvpc task holds none: its ports are its\n"
		"own, so any number of tasks can have port 80.\n",
	.examples = "  taskvpc ports\n",
	.flags = COMMAND_ROOT,
	.run = run,
};

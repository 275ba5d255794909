/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ls: every task of this host, whoever started it. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ended.h"
#include "live.h"
#include "output.h"

struct list {
	bool quiet, all;
};

static const struct opt options[] = {
	OPT(struct list, all, 'a', "all", OPT_FLAG, NULL,
	    "Those of taskvpc that have ended as well, with their exit codes."),
	OPT(struct list, quiet, 'q', "quiet", OPT_FLAG, NULL, "Only the names."),
	{ .name = NULL },
};

static const struct column columns[] = {
	{ "TASK", "task", cell_id },    { "NAME", "name", cell_optional },
	{ "MODE", "mode", NULL },       { "ADDRESS", "address", NULL },
	{ "MAC", "mac", NULL },         { "ENI", "eni", NULL },
	{ "SUBNET", "subnet", NULL },   { "NETWORK", "network", NULL },
	{ "AGE", "created", cell_age }, { "STATE", "state", cell_state },
	{ NULL, NULL, NULL },
};

/* Only the names. As JSON they are strings. */
static void show_names(const struct cli *c, const json *rows)
{
	cleanup_json json *names = json_array();

	for (const json *row = json_first(rows); row; row = json_next(row))
		if (c->json)
			json_add_string(names, NULL, live_text(row, "task"));
		else
			printf("%s\n", live_text(row, "task"));
	if (c->json)
		out_json(names);
}

static bool is_listed(const json *rows, const char *task)
{
	const json *row = json_first(rows);

	while (row && strcmp(live_text(row, "task"), task) != 0)
		row = json_next(row);
	return row != NULL;
}

/* "exited (1)": as a row of one that lives, with what is known. */
static void add_ended(json *rows)
{
	static const char *const keys[] = { "mode",    "network",  "address", "mac",
					    "created", "exitCode", "ended",   "command" };
	cleanup_json json *all = ended_json();

	for (const json *one = json_first(all); one; one = json_next(one)) {
		char text[2 * TASK_NAME_MAX + 8];
		int64_t code = 0;
		json *row;

		/* It is just being taken down. */
		if (is_listed(rows, live_text(one, "task")) &&
		    !strcmp(live_text(one, "container"), CONTAINER_FIRST))
			continue;
		row = json_add_object(rows, NULL);
		json_integer(json_get(one, "exitCode"), &code);
		snprintf(text, sizeof(text), "%s%s%s", live_text(one, "task"),
			 strcmp(live_text(one, "container"), CONTAINER_FIRST) ? "/" : "",
			 strcmp(live_text(one, "container"), CONTAINER_FIRST)
				 ? live_text(one, "container")
				 : "");
		json_add_string(row, "task", text);
		json_add_string(row, "runtime", "taskvpc");
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			if (json_get(one, keys[i]))
				json_add_copy(row, keys[i], json_get(one, keys[i]));
		snprintf(text, sizeof(text), "exited (%d)", (int)code);
		json_add_string(row, "state", text);
	}
}

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	struct list list = { .quiet = false };
	cleanup_json json *rows = NULL;
	int rest, r = cli_options(c, argc, argv, &list, &rest, e);

	if (r)
		return r < 0 ? r : EXIT_DONE;
	r = cli_words(c, argc, argv, rest, 0, e);
	if (r == 0)
		r = live_attachments(c, &rows, e);
	if (r < 0)
		return r;
	if (list.all)
		add_ended(rows);
	if (list.quiet)
		show_names(c, rows);
	else
		out_list(c, rows, columns, "no tasks; `taskvpc run -- ip addr` starts one");
	return EXIT_DONE;
}

const struct command command_ls = {
	.name = "ls",
	.synopsis = "[OPTION]...",
	.help = "list the tasks of this host",
	.lesson = "One line an interface, of all tasks that our plugins attached: by taskvpc, by\n"
		  "containerd, by podman. The state is up, or dead: the task is gone but what it\n"
		  "held is not, which `taskvpc gc` takes back. A state of unknown means that its\n"
		  "namespace is not where it was, while its link still stands. With -a also the\n"
		  "last 32 tasks of taskvpc that have ended: exited, with the exit code.\n",
	.examples = "  taskvpc ls\n"
		    "  taskvpc ls --json | jq -r '.[] | select(.state == \"dead\") | .task'\n",
	.flags = COMMAND_ROOT,
	.options = options,
	.run = run,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: CHECK of each attachment: does the kernel have what the record says? */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "live.h"
#include "output.h"
#include "state.h"
#include "verbs.h"

#define NOT_ASKED 1 /* its network forbids it */

/* By the chain that attached it, where we know that; else by its record. */
static int check_own(const struct task *t, struct err *e)
{
	const struct chain chain = task_chain(t);

	return chain_check(&chain, json_get(t->doc, "result"), e);
}

static int check_record(const struct cli *c, const json *row, struct err *e)
{
	cleanup_json json *list = NULL, *result = verbs_result(row);
	struct chain chain = { .container_id = live_text(row, "task"),
			       .netns = live_text(row, "netns"),
			       .ifname = live_text(row, "interface") };
	char path[CHAIN_PATH];
	int r = verbs_list(row, &list, e);

	chain_path(c, path);
	chain.path = path;
	chain.list = list;
	return r < 0 ? r : chain_check(&chain, result, e);
}

/* Its processes still have the namespace; only nobody finds it by that name any more. */
static int told_nameless(const json *row, struct err *e)
{
	const json *first = json_first(json_get(row, "containers"));
	int64_t pid = 0;

	err_set(e, ERR_CHECK, 0, "its network namespace is not %s any more",
		live_text(row, "netns"));
	if (json_integer(json_get(first, "pid"), &pid) && pid > 0)
		err_hint(e, "ip netns attach %s %" PRId64, live_text(row, "task"), pid);
	else
		err_hint(e, "restart it by the runtime that started it");
	return -EUCLEAN;
}

/* Return: 0, NOT_ASKED, or a negative errno: what is wrong. */
static int check_one(const struct cli *c, const struct networks *all, const json *row,
		     struct err *e)
{
	struct task t = TASK_NONE;
	struct err ignored;
	int r;

	if (!strcmp(live_text(row, "state"), "dead")) {
		err_set(e, ERR_CHECK, 0, "the task is gone, what it held is not");
		err_hint(e, "taskvpc gc");
		return -EUCLEAN;
	}
	if (!strcmp(live_text(row, "state"), "unknown"))
		return told_nameless(row, e);
	if (networks_ask(all, live_text(row, "network"), NETWORK_NO_CHECK))
		return NOT_ASKED;
	if (strcmp(live_text(row, "runtime"), "taskvpc") != 0)
		return check_record(c, row, e);
	r = task_open(live_text(row, "task"), &t, &ignored);
	if (r == 0)
		r = check_own(&t, e);
	else
		*e = ignored;
	task_close(&t);
	return r;
}

static const struct column columns[] = {
	{ "TASK", "task", cell_id },       { "NAME", "name", cell_optional },
	{ "NETWORK", "network", NULL },    { "CHECK", "check", cell_state },
	{ "DIFFERENCE", "message", NULL }, { NULL, NULL, NULL },
};

/* The fix stands below the table: it is to be copied. */
static void show(const struct cli *c, const json *list)
{
	out_list(c, list, columns, "no tasks to check");
	for (const json *row = json_first(list); row && !c->json; row = json_next(row))
		if (*live_text(row, "remedy"))
			printf("\n%s: fix: %s\n", live_short(row), live_text(row, "remedy"));
}

/* A plugin says what the command is for; here that is known. */
static const char *remedy_of(const struct err *e)
{
	static const char purpose[] = "to repair it: ";
	const size_t len = sizeof(purpose) - 1;

	return e->details + (strncmp(e->details, purpose, len) ? 0 : len);
}

/* Return: whether it is as it should be, as far as one may ask. */
static bool add_verdict(const struct cli *c, const struct networks *all, const json *row,
			json *list)
{
	static const char *const keys[] = {
		"task", "short", "name", "network", "interface", "mode"
	};
	json *one = json_add_object(list, NULL);
	struct err e = { 0 };
	int r = check_one(c, all, row, &e);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (json_get(row, keys[i]))
			json_add_string(one, keys[i], live_text(row, keys[i]));
	json_add_string(one, "check", r < 0 ? "wrong" : r == NOT_ASKED ? "off" : "ok");
	if (r == NOT_ASKED)
		json_add_string(one, "message", NETWORK_NO_CHECK " of its network is true");
	if (r < 0) {
		json_add_string(one, "message", e.msg);
		json_add_string(one, "remedy", remedy_of(&e));
	}
	return r >= 0;
}

static bool check_rows(const struct cli *c, const struct networks *all, const json *rows,
		       json *list)
{
	bool good = true;

	for (const json *row = json_first(rows); row; row = json_next(row))
		good &= add_verdict(c, all, row, list);
	return good;
}

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	cleanup_networks struct networks networks = { .n = 0 };
	cleanup_json json *all = NULL, *list = json_array();
	int rest, r = cli_options(c, argc, argv, c, &rest, e);
	bool good = true;

	if (r)
		return r < 0 ? r : EXIT_DONE;
	r = live_networks(c, &networks, e);
	if (r == 0)
		r = live_attachments(c, &all, e);
	if (r == 0 && rest == argc)
		good = check_rows(c, &networks, all, list);
	for (int i = rest; i < argc && r == 0; i++) {
		cleanup_json json *rows = NULL;

		r = live_find(all, argv[i], &rows, e);
		if (r == 0)
			good &= check_rows(c, &networks, rows, list);
	}
	if (r < 0)
		return r;
	show(c, list);
	return good ? EXIT_DONE : EXIT_NO;
}

const struct command command_check = {
	.name = "check",
	.synopsis = "[OPTION]... [TASK]...",
	.help = "compare tasks with the kernel: is everything still there?",
	.lesson =
		"CNI's CHECK, for each task or for those named: every step of the plan that attached\n"
		"it is compared with what the kernel has now. Tells the first difference and the\n"
		"command that repairs it. The exit code is 1 if there is any. A task of a network\n"
		"whose list says disableCheck is not compared: off.\n",
	.examples = "  taskvpc check web\n",
	.flags = COMMAND_ROOT,
	.run = run,
};

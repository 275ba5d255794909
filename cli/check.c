/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: CHECK of each attachment: does the kernel have what the record says? */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "live.h"
#include "output.h"
#include "state.h"
#include "verbs.h"

#define NOT_ASKED 1   /* its network forbids it */
#define ROUNDS    100 /* remedies that one task may need: more than a plan has steps */

struct checking {
	const struct cli *cli;
	bool fix;
	struct networks networks;
};

static const struct opt options[] = {
	OPT(struct checking, fix, 0, "fix", OPT_FLAG, NULL,
	    "Run the remedy of each difference, until there is none."),
	{ .name = NULL },
};

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
	for (const json *row = json_first(list); row && !c->json; row = json_next(row))
		for (const json *f = json_first(json_get(row, "fixed")); f; f = json_next(f))
			printf("%s: fixed: %s\n  %s\n", live_short(row), live_text(f, "message"),
			       live_text(f, "command"));
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

/* ---- remedies ---- */

/*
 * The command that undoes the difference: of a plugin of ours, which prints a step of its plan, or
 * one of ours. What plugins of others advise is for a person to judge. NULL: there is none.
 */
static const char *command_of(const json *row, const struct err *e)
{
	const char *type = plugin_of_mode(live_text(row, "mode")), *remedy = remedy_of(e);
	size_t len = type ? strlen(type) : 0;

	if (!strcmp(remedy, "taskvpc gc") || !strncmp(remedy, "ip netns attach ", 16))
		return remedy;
	if (remedy == e->details || !type || strncmp(e->msg, type, len) != 0 || e->msg[len] != ':')
		return NULL;
	return remedy;
}

/* With ourselves in front of PATH: remedies say taskvpc. What it says goes to stderr. */
static void become_shell(const char *command)
{
	const char *path = getenv("PATH");
	char self[PATH_MAX], all[2 * PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = '\0';
		*strrchr(self, '/') = '\0';
		snprintf(all, sizeof(all), "%s:%s", self,
			 path ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
		setenv("PATH", all, 1);
	}
	dup2(STDERR_FILENO, STDOUT_FILENO);
	execl("/bin/sh", "sh", "-e", "-c", command, (char *)NULL);
	_exit(EXIT_NO_COMMAND);
}

static bool run_remedy(const char *command)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		become_shell(command);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The row as it is now: a remedy may have changed its state. Return: NULL if it is gone. */
static json *look_again(const struct cli *c, const json *row)
{
	static const char *const keys[] = { "task", "network", "interface" };
	cleanup_json json *all = NULL;
	struct err ignored;

	if (live_attachments(c, &all, &ignored) < 0)
		return json_copy(row);
	for (const json *now = json_first(all); now; now = json_next(now)) {
		bool same = true;

		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			same &= !strcmp(live_text(now, keys[i]), live_text(row, keys[i]));
		if (same)
			return json_copy(now);
	}
	return NULL;
}

/* Return: as check_one; 0 also if the attachment is gone, as of a dead task. */
static int repair(struct checking *k, const json *row, json *fixed, struct err *e)
{
	cleanup_json json *now = json_copy(row);
	char before[sizeof(e->msg) + sizeof(e->details)] = "", both[sizeof(before)];
	int r = check_one(k->cli, &k->networks, now, e);

	for (int i = 0; r < 0 && i < ROUNDS; i++) {
		const char *command = command_of(now, e);
		json *one;

		/* One that has changed nothing does not the second time. */
		snprintf(both, sizeof(both), "%s%s", e->msg, e->details);
		if (!command || !strcmp(both, before))
			return r;
		text_copy(before, sizeof(before), both);
		one = json_add_object(fixed, NULL);
		json_add_string(one, "message", e->msg);
		json_add_string(one, "command", command);
		if (!run_remedy(command))
			return r;
		json_free(now);
		now = look_again(k->cli, row);
		r = now ? check_one(k->cli, &k->networks, now, e) : 0;
	}
	return r;
}

/* Return: whether it is as it should be, as far as one may ask. */
static bool add_verdict(struct checking *k, const json *row, json *list)
{
	cleanup_json json *fixed = json_array();
	static const char *const keys[] = {
		"task", "short", "name", "network", "interface", "mode"
	};
	json *one = json_add_object(list, NULL);
	struct err e = { 0 };
	int r = k->fix ? repair(k, row, fixed, &e) : check_one(k->cli, &k->networks, row, &e);

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
	if (json_count(fixed))
		json_add_copy(one, "fixed", fixed);
	return r >= 0;
}

static bool check_rows(struct checking *k, const json *rows, json *list)
{
	bool good = true;

	for (const json *row = json_first(rows); row; row = json_next(row))
		good &= add_verdict(k, row, list);
	return good;
}

static void checking_free(struct checking *k)
{
	networks_free(&k->networks);
}
#define cleanup_checking CLEANUP(checking_free)

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	cleanup_checking struct checking k = { .cli = c };
	cleanup_json json *all = NULL, *list = json_array();
	int rest, r = cli_options(c, argc, argv, &k, &rest, e);
	bool good = true;

	if (r)
		return r < 0 ? r : EXIT_DONE;
	r = live_networks(c, &k.networks, e);
	if (r == 0)
		r = live_attachments(c, &all, e);
	if (r == 0 && rest == argc)
		good = check_rows(&k, all, list);
	for (int i = rest; i < argc && r == 0; i++) {
		cleanup_json json *rows = NULL;

		r = live_find(all, argv[i], &rows, e);
		if (r == 0)
			good &= check_rows(&k, rows, list);
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
		"whose list says disableCheck is not compared: off. With --fix the command is run\n"
		"and the task compared again, until nothing differs or a command does not help; what\n"
		"plugins of others advise is only told.\n",
	.examples = "  taskvpc check web\n"
		    "  taskvpc check --fix\n",
	.flags = COMMAND_ROOT,
	.options = options,
	.run = run,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * restart: end a task of `run -d`, if it still runs, and start it by the same words, in the same
 * directory, with the address and the MAC that it had. It is run by ourselves once more, so that a
 * restarted task goes every step that a new one goes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ended.h"
#include "live.h"
#include "rm.h"

#define WORDS_OF_RUN 512

static const struct opt options[] = {
	OPT(struct removal, time, 't', "time", OPT_TEXT, "SECONDS",
	    "Until the command is killed: 10; 0: kill it at once."),
	{ .name = NULL },
};

/* ---- what it was ---- */

static int refuse(const char *task, struct err *e)
{
	cli_error(e, EXIT_USAGE,
		  "the task %s was not started with -d: only who started it can again", task);
	err_hint(e, "taskvpc run -d --name %s -- COMMAND", task);
	return -EINVAL;
}

/* Of a task that runs: its containers, as ended_note would keep them. */
static int read_living(const char *task, json *list, struct err *e)
{
	cleanup_json json *containers = containers_json(task);
	cleanup_task struct task t = TASK_NONE;
	int r = task_open(task, &t, e);

	for (const json *c = json_first(containers); c && r == 0; c = json_next(c)) {
		json *one = json_add_copy(list, NULL, c);

		json_add_string(one, "container", live_text(c, "name"));
		ended_describe(&t, one);
	}
	return r;
}

/* An array of its containers, the first one first. */
static int read_all(const char *task, json *list, struct err *e)
{
	cleanup_json json *ended = ended_find(task, CONTAINER_FIRST);
	int r = task_is_alive(task) || !ended ? read_living(task, list, e) : 0;

	if (r == 0 && !json_count(list) && ended)
		json_add_copy(list, NULL, ended);
	if (r < 0)
		return r;
	for (const json *one = json_first(list); one; one = json_next(one))
		if (json_count(json_get(one, "run")) > WORDS_OF_RUN - 10)
			return cli_error(e, EXIT_USAGE, "the task %s has more than %d words", task,
					 WORDS_OF_RUN - 10);
		else if (!json_count(json_get(one, "run")) || !*live_text(one, "cwd"))
			return refuse(task, e);
	return json_count(list) ? 0 : refuse(task, e);
}

/* ---- once more ---- */

static void add(char **argv, int *n, const char *option, const char *word)
{
	if (!*word || *n + 3 > WORDS_OF_RUN)
		return;
	if (*option)
		argv[(*n)++] = strdup(option);
	argv[(*n)++] = strdup(word);
}

static void become(const char *task, const json *one)
{
	bool first = !strcmp(live_text(one, "container"), CONTAINER_FIRST);
	char *argv[WORDS_OF_RUN + 1] = { NULL };
	int n = 0;

	add(argv, &n, "taskvpc", "run");
	add(argv, &n, "--name", first ? task : live_text(one, "container"));
	/* What was typed comes later, so it counts. */
	add(argv, &n, "--ip", first ? live_text(one, "ip") : "");
	add(argv, &n, "--mac", first ? live_text(one, "mac") : "");
	for (const json *w = json_next(json_first(json_get(one, "run"))); w && n < WORDS_OF_RUN;
	     w = json_next(w))
		argv[n++] = strdup(json_string(w)); /* one may be empty */
	if (chdir(live_text(one, "cwd")) == 0) {
		if (*live_text(one, "path"))
			setenv("CNI_PATH", live_text(one, "path"), 0);
		execv("/proc/self/exe", argv);
	}
	fprintf(stderr, "taskvpc restart: cannot start it in %s: %s\n", live_text(one, "cwd"),
		strerror(errno));
	_exit(EXIT_FAILED);
}

/* Return: its exit code, or -errno. What it says goes where we say things. */
static int start(const char *task, const json *one, struct err *e)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		become(task, one);
	if (pid < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot start a process");
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, ERR_KERNEL, errno, "waiting");
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
}

static int restart(const struct removal *m, const char *task, struct err *e)
{
	cleanup_json json *list = json_array();
	int r = read_all(task, list, e);

	if (r == 0 && task_is_alive(task))
		r = removal_task(m, task, e);
	for (const json *one = json_first(list); one && r == 0; one = json_next(one))
		r = start(task, one, e);
	return r;
}

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	struct removal m = { .all = false };
	int rest, r = cli_options(c, argc, argv, &m, &rest, e);

	if (r)
		return r < 0 ? r : EXIT_DONE;
	if (rest == argc) {
		cli_error(e, EXIT_USAGE, "no task");
		err_hint(e, "taskvpc restart TASK...; tasks: taskvpc ls -a");
		return -EINVAL;
	}
	chain_path(c, m.path);
	r = removal_time(&m, e);
	for (int i = rest; i < argc && r == 0; i++) {
		r = restart(&m, argv[i], e);
		if (r < 0)
			r = live_of_other(c, argv[i], r, e);
	}
	return r;
}

const struct command command_restart = {
	.name = "restart",
	.synopsis = "[OPTION]... TASK...",
	.help = "start tasks of `run -d` again, with their address and MAC",
	.lesson =
		"A task that runs is ended as by rm, then its containers are started by the words\n"
		"that started them, in the directory that they were started in; one that has ended\n"
		"is only started. It has the same address and MAC, unless another task has got them\n"
		"meanwhile: then it is refused. Its network is as it is configured now, and the\n"
		"environment is that of restart.\n",
	.examples = "  taskvpc restart web\n",
	.flags = COMMAND_ROOT | COMMAND_OUTPUT,
	.options = options,
	.run = run,
};

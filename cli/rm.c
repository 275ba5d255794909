/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rm: end tasks. Their supervisors are asked as a person would with ^C, and they take the task
 * down; what then still runs is killed. What is left of dead ones is removed by us.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "ended.h"
#include "live.h"
#include "output.h"
#include "rm.h"
#include "state.h"

#define PATIENCE_S   10
#define PATIENCE_MAX 3600
#define TAKE_DOWN_MS 70000 /* more than a plugin may take */
#define PAUSE_MS     20
#define CONTINUE_MS  500

static const struct opt options[] = {
	OPT(struct removal, all, 'a', "all", OPT_FLAG, NULL, "All tasks that taskvpc runs."),
	OPT(struct removal, time, 't', "time", OPT_TEXT, "SECONDS",
	    "Until the command is killed: 10; 0: kill it at once."),
	OPT(struct removal, force, 'f', "force", OPT_FLAG, NULL,
	    "Remove it even if DEL of a plugin fails."),
	{ .name = NULL },
};

int removal_time(struct removal *m, struct err *e)
{
	char *end, shown[40];
	long n = m->time ? strtol(m->time, &end, 10) : PATIENCE_S;

	if (!m->time || (end != m->time && !*end && n >= 0 && n <= PATIENCE_MAX)) {
		m->patience_ms = (int)n * 1000;
		return 0;
	}
	text_printable(shown, sizeof(shown), m->time);
	return cli_error(e, EXIT_USAGE, "--time: \"%s\" is no number of seconds, 0-%d", shown,
			 PATIENCE_MAX);
}

/* A supervisor that was stopped (^Z), or stops again with its command, is continued until it ends.
 */
static bool ended_within(int pidfd, int64_t deadline)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int64_t left;

	do {
		pidfd_send_signal(pidfd, SIGCONT, NULL, 0);
		left = deadline - io_clock_ms();
		if (poll(&p, 1, (int)(left > CONTINUE_MS ? CONTINUE_MS : left > 0 ? left : 0)) > 0)
			return true;
	} while (left > 0);
	return false;
}

/* The pids are right as long as the container's lock is held; it was, with them in hand. */
static bool is_still(const struct task *t, const struct container *c)
{
	struct container again;
	struct err ignored;

	return container_find(t->name, c->name, &again, &ignored) == 0 && again.init == c->init &&
	       again.supervisor == c->supervisor;
}

static int end_container(const struct task *t, const struct container *c, int patience_ms,
			 struct err *e)
{
	cleanup_close int supervisor = pidfd_open(c->supervisor, 0), init = pidfd_open(c->init, 0);

	if (supervisor < 0 || !is_still(t, c))
		return 0;
	if (patience_ms && pidfd_send_signal(supervisor, SIGTERM, NULL, 0) == 0 &&
	    ended_within(supervisor, io_clock_ms() + patience_ms))
		return 0;
	if (init >= 0)
		pidfd_send_signal(init, SIGKILL, NULL, 0);
	if (ended_within(supervisor, io_clock_ms() + TAKE_DOWN_MS))
		return 0;
	err_set(e, ERR_KERNEL, ETIMEDOUT, "%s/%s: its supervisor, process %d, does not end",
		t->name, c->name, (int)c->supervisor);
	err_hint(e, "kill -9 %d; taskvpc gc", (int)c->supervisor);
	return -ETIMEDOUT;
}

/* From the last to the first: who joined a task leaves it before it ends. */
static int end_containers(const struct task *t, int patience_ms, struct err *e)
{
	cleanup_json json *all = containers_json(t->name);
	unsigned n = json_count(all);
	int r = 0;

	while (n-- > 0 && r == 0) {
		const json *one = json_first(all);
		struct container c;
		struct err gone;

		for (unsigned i = 0; i < n; i++)
			one = json_next(one);
		if (container_find(t->name, json_string(json_get(one, "name")), &c, &gone) == 0)
			r = end_container(t, &c, patience_ms, e);
	}
	return r;
}

static int refuse_busy(const char *name, struct err *e)
{
	err_set(e, ERR_KERNEL, ETIMEDOUT, "%s is neither made nor taken down within %d seconds",
		name, TAKE_DOWN_MS / 1000);
	err_hint(e, "a plugin of its network hangs: end that, then taskvpc rm %s", name);
	return -ETIMEDOUT;
}

int removal_task(const struct removal *m, const char *name, struct err *e)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	cleanup_task struct task t = TASK_NONE;
	int left = TAKE_DOWN_MS / PAUSE_MS, r = task_open(name, &t, e);

	while (r == 0) {
		r = end_containers(&t, m->patience_ms, e);
		/* Who was alive has taken itself down by now; of the dead, it is our turn. */
		if (r == 0)
			r = (m->force ? task_force : task_heal)(name, m->path, e);
		if (r || !task_is_alive(name))
			break;
		/* Plugins are at it, for whoever makes it or ends it: nobody can be asked yet. */
		if (left-- == 0)
			return refuse_busy(name, e);
		nanosleep(&pause, NULL);
	}
	return r < 0 ? r : 0;
}

/* One of several; the task goes with its last. */
static int remove_container(const struct removal *m, const char *task, const char *name,
			    struct err *e)
{
	cleanup_task struct task t = TASK_NONE;
	struct container c;
	int r = task_open(task, &t, e);

	if (r == 0)
		r = container_find(task, name, &c, e);
	return r < 0 ? r : end_container(&t, &c, m->patience_ms, e);
}

/* With what is known of its end; of one that has ended, only that. */
static int remove_task(const struct removal *m, const char *name, struct err *e)
{
	cleanup_json json *ended = ended_find(name, CONTAINER_FIRST);
	int r = removal_task(m, name, e);

	if (r == -ENOENT && ended)
		r = 0;
	if (r == 0)
		ended_forget(name, NULL);
	return r;
}

/* @word: TASK or TASK/CONTAINER */
static int remove_word(const struct removal *m, const char *word, struct err *e)
{
	char task[CONTAINER_WORD];
	const char *container = container_split(word, task);

	return container ? remove_container(m, task, container, e) : remove_task(m, word, e);
}

struct sweep {
	const struct removal *m;
	json *removed;
	int failed;
};

static int sweep_one(void *ctx, const char *name, struct err *e)
{
	struct sweep *s = ctx;
	struct err why;
	int r = remove_task(s->m, name, &why);

	if (r == 0)
		json_add_string(s->removed, NULL, name);
	else if (r != -ENOENT && !s->failed) {
		s->failed = r;
		*e = why;
	}
	return 0;
}

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	struct removal m = { .all = false };
	cleanup_json json *removed = json_array();
	struct sweep s = { .m = &m, .removed = removed };
	int rest, r = cli_options(c, argc, argv, &m, &rest, e);

	if (r)
		return r < 0 ? r : EXIT_DONE;
	if (m.all == (rest < argc)) {
		cli_error(e, EXIT_USAGE, m.all ? "--all, and a task besides" : "no task");
		err_hint(e, "taskvpc rm TASK..., or --all; tasks: taskvpc ls");
		return -EINVAL;
	}
	chain_path(c, m.path);
	r = removal_time(&m, e);
	if (r == 0 && m.all)
		tasks_each(sweep_one, &s, e);
	for (int i = rest; i < argc && r == 0; i++) {
		r = remove_word(&m, argv[i], e);
		if (r < 0)
			r = live_of_other(c, argv[i], r, e);
		else
			json_add_string(removed, NULL, argv[i]);
	}
	if (c->json)
		out_json(removed);
	return r < 0 ? r : s.failed;
}

const struct command command_rm = {
	.name = "rm",
	.synopsis = "[OPTION]... TASK[/CONTAINER]...",
	.help = "end tasks and take down their networks",
	.lesson =
		"The command of each container gets SIGTERM, and SIGKILL if it is still there after\n"
		"10 seconds; then the task is detached. One that is just being attached is awaited.\n"
		"Returns when nothing of it is left. TASK/CONTAINER ends one container: the task goes\n"
		"with its last. Tasks that containerd or podman started are\n"
		"theirs to end.\n",
	.examples = "  taskvpc rm web db\n"
		    "  taskvpc rm --all --time 0\n",
	.flags = COMMAND_ROOT,
	.options = options,
	.run = run,
};

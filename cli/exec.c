/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exec: one more command in a container that runs, in all of its namespaces. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "live.h"
#include "sandbox.h"
#include "state.h"

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) /* and processes */

static int find(const struct cli *c, const char *word, struct container *ret, struct err *e)
{
	char name[CONTAINER_WORD];
	const char *container = container_split(word, name);
	struct task t = TASK_NONE;
	int r = task_open(name, &t, e);

	if (r == 0)
		r = container_find(name, container, ret, e);
	task_close(&t);
	return r < 0 ? live_of_other(c, name, r, e) : r;
}

/*
 * The pid is the container's as long as its supervisor lives; so look again, with it in hand.
 * Return: a pidfd of the container's first process, or a negative errno.
 */
static int open_container(const struct cli *c, const char *word, struct err *e)
{
	struct container seen = { .init = -1 }, again = { .init = -1 };
	int fd, r = find(c, word, &seen, e);

	if (r < 0)
		return r;
	fd = pidfd_open(seen.init, 0);
	r = find(c, word, &again, e);
	if (r == 0 && fd >= 0 && again.init == seen.init)
		return fd;
	cleanup_closep(&fd);
	return r < 0 ? r : err_set(e, ERR_KERNEL, ESRCH, "%s is just ending", word);
}

/* The child is of the container's processes; those that we may start later are our own again. */
static pid_t fork_there(int container, int own)
{
	pid_t pid = setns(container, CLONE_NEWPID) < 0 ? -1 : fork();

	if (pid != 0 && setns(own, CLONE_NEWPID) < 0)
		abort(); /* it is where we are: cannot be refused */
	return pid;
}

struct pipes {
	int report[2], go[2];
};

/* The mounts are others, the files are the same: so the directory is. */
static void become(int container, char **argv, const sigset_t *mask, const struct pipes *p)
{
	cleanup_free char *cwd = getcwd(NULL, 0);
	int report = p->report[1];
	struct err e;
	char go;

	close(p->report[0]);
	end_with_supervisor(report);
	if (read(p->go[0], &go, 1) != 1)
		_exit(EXIT_FAILED);
	if (setns(container, NAMESPACES) < 0) {
		err_sys(&e, ERR_KERNEL, errno, "cannot enter the container");
		report_write(report, &e);
		_exit(EXIT_FAILED);
	}
	if (!cwd || chdir(cwd) < 0)
		(void)!chdir("/");
	command_become(argv, mask, report);
}

/* Return: its pid, or -errno. */
static pid_t start(int container, char **argv, const sigset_t *mask, struct terminal *t,
		   struct err *e)
{
	cleanup_close int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	struct pipes p;
	pid_t pid;
	int r;

	/* We and the descriptors of these pipes end together. */
	if (own < 0 || pipe2(p.report, O_CLOEXEC) < 0 || pipe2(p.go, O_CLOEXEC) < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot prepare to enter the container");
	pid = fork_there(container, own);
	if (pid == 0)
		become(container, argv, mask, &p);
	if (pid < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot start a process in the container");
	/* Before the command begins, so that ^C reaches it from the first moment. */
	terminal_find(t);
	terminal_give(t, pid);
	close(p.report[1]);
	(void)!write(p.go[1], "", 1);
	r = report_read(p.report[0], e);
	if (r < 0)
		terminal_take(t);
	return r < 0 ? r : pid;
}

/* Return: the command's exit code, or -errno. */
static int exec_in(const struct cli *c, const char *word, char **argv, struct err *e)
{
	cleanup_close int container = open_container(c, word, e);
	struct terminal terminal = TERMINAL_NONE;
	sigset_t mask;
	pid_t pid;

	if (container < 0)
		return container;
	signals_block(&mask);
	pid = start(container, argv, &mask, &terminal, e);
	return pid < 0 ? pid : supervise(pid, NULL, &terminal);
}

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	int rest, r = cli_options(c, argc, argv, c, &rest, e), command;

	if (r)
		return r < 0 ? r : EXIT_DONE;
	command = rest + 1 + (rest + 1 < argc && !strcmp(argv[rest + 1], "--"));
	if (command >= argc) {
		cli_error(e, EXIT_USAGE, rest < argc ? "no command" : "no task, and no command");
		err_hint(e, "taskvpc exec TASK -- COMMAND; tasks: taskvpc ls");
		return -EINVAL;
	}
	if (*argv[command] == '-' && strcmp(argv[command - 1], "--") != 0) {
		char shown[40];

		text_printable(shown, sizeof(shown), argv[command]);
		cli_error(e, EXIT_USAGE, "%s: options come before the task", shown);
		err_hint(
			e,
			"taskvpc exec TASK -- COMMAND; with a variable: -- env NAME=VALUE COMMAND");
		return -EINVAL;
	}
	r = command_judge(argv[command], e);
	return r < 0 ? r : exec_in(c, argv[rest], argv + command, e);
}

const struct command command_exec = {
	.name = "exec",
	.synopsis = "TASK[/CONTAINER] [--] COMMAND [ARG]...",
	.help = "run one more command in a task",
	.lesson =
		"It sees what the task sees: its interfaces, processes, host name and files of\n"
		"/etc. The command is not the task: when it ends, the task goes on. Signals are\n"
		"passed on and the exit code is the command's. Of a task with several containers\n"
		"the first is meant, unless one is named: `taskvpc inspect TASK` tells them.\n",
	.examples = "  taskvpc exec web -- ss -ltnp\n"
		    "  taskvpc exec web sh\n",
	.flags = COMMAND_ROOT | COMMAND_RUNS | COMMAND_OUTPUT,
	.run = run,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exec: one more command in a container that runs, in all of its namespaces. */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "sandbox.h"
#include "state.h"

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET)

/* "TASK" or "TASK/CONTAINER". */
static int find(const char *word, struct container *ret, struct err *e)
{
	char name[2 * TASK_NAME_MAX + 4];
	struct task t = TASK_NONE;
	char *slash;
	int r;

	if (!text_copy(name, sizeof(name), word))
		name[0] = '\0';
	slash = strchr(name, '/');
	if (slash)
		*slash++ = '\0';
	r = task_open(name, &t, e);
	if (r == 0)
		r = container_find(name, slash, ret, e);
	task_close(&t);
	return r;
}

/* The pid is the container's as long as its supervisor lives; so look again, with it in hand. */
static int enter(const char *word, struct err *e)
{
	struct container seen = { .init = -1 }, again = { .init = -1 };
	cleanup_close int fd = -1;
	int r = find(word, &seen, e);

	if (r < 0)
		return r;
	fd = pidfd_open(seen.init, 0);
	r = find(word, &again, e);
	if (r < 0)
		return r;
	if (fd >= 0 && again.init == seen.init && setns(fd, NAMESPACES) == 0)
		return 0;
	return err_sys(e, ERR_KERNEL, errno ? errno : ESRCH, "cannot enter %s", word);
}

static int start(char **argv, const sigset_t *mask, pid_t *ret, struct err *e)
{
	int report[2], r;

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot make a pipe");
	*ret = fork();
	if (*ret == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		command_become(argv, mask, report[1]);
	}
	close(report[1]);
	r = *ret < 0 ? err_sys(e, ERR_KERNEL, errno, "cannot start a process")
		     : report_read(report[0], e);
	close(report[0]);
	return r;
}

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	int rest, r = cli_options(c, argc, argv, c, &rest, e);
	cleanup_free char *cwd = r ? NULL : getcwd(NULL, 0);
	pid_t pid = -1;
	sigset_t mask;
	int command;

	if (r)
		return r < 0 ? r : EXIT_DONE;
	command = rest + 1 + (rest + 1 < argc && !strcmp(argv[rest + 1], "--"));
	if (command >= argc) {
		cli_error(e, EXIT_USAGE, rest < argc ? "no command" : "no task, and no command");
		err_hint(e, "taskvpc exec TASK -- COMMAND; tasks: taskvpc ls");
		return -EINVAL;
	}
	signals_block(&mask);
	r = enter(argv[rest], e);
	if (r == 0)
		r = command_judge(argv[command], e);
	if (r < 0)
		return r;
	/* The mounts are others, the files are the same. */
	if (cwd && chdir(cwd) < 0)
		(void)!chdir("/");
	r = start(argv + command, &mask, &pid, e);
	return r < 0 ? r : supervise(pid);
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

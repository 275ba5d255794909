/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whoever is killed by SIGKILL takes nothing down. So each supervisor has a guard: a process that
 * does nothing but wait for a byte that says that all is over, or for the end of the pipe that says
 * that the supervisor is. Then it takes the task down, as the next to look would. It is of a
 * session of its own and holds nothing of the caller's; if it is killed too, that next one remains.
 */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define ENDING_MS 5000 /* of processes that the kernel is ending: it takes microseconds */

/* Where they are once nothing else is open. */
#define PIPE       (STDERR_FILENO + 1)
#define SUPERVISOR (STDERR_FILENO + 2)

/* Locks end with the last descriptor, and a pipe of the caller's with its last writer. */
static void keep_only(int pipe, int supervisor)
{
	int null = open("/dev/null", O_RDWR), kept[] = { pipe, supervisor };

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		kept[i] = fcntl(kept[i], F_DUPFD, SUPERVISOR + 1);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	dup2(kept[0], PIPE);
	dup2(kept[1], SUPERVISOR);
	close_range(SUPERVISOR + 1, ~0u, 0);
}

static void until_ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	if (pidfd >= 0) /* else it has ended already */
		poll(&p, 1, ENDING_MS);
}

/* Those of dead containers die with their supervisor: soon, but not at once. */
static void until_processes_ended(const char *task)
{
	cleanup_json json *all = containers_json(task);
	int64_t pid;

	for (const json *one = json_first(all); one; one = json_next(one)) {
		cleanup_close int pidfd = -1;

		if (task_is_alive(task) || !json_integer(json_get(one, "pid"), &pid))
			continue;
		pidfd = pidfd_open((pid_t)pid, 0);
		until_ended(pidfd);
	}
}

/* The pipe may end a moment before the locks do: those end with the process. */
static void watch(const char *task)
{
	struct err ignored;
	char done;
	ssize_t n;

	do
		n = read(PIPE, &done, 1);
	while (n < 0 && errno == EINTR);
	if (n != 0)
		return;
	until_ended(SUPERVISOR);
	until_processes_ended(task);
	task_heal(task, NULL, &ignored);
}

static void be_guard(const char *task, int pipe, pid_t supervisor)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "taskvpc-guard");
	setsid();
	(void)!chdir("/");
	keep_only(pipe, pidfd_open(supervisor, 0));
	watch(task);
	_exit(0);
}

int guard_start(const char *task, struct guard *ret, struct err *e)
{
	pid_t own = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot make a pipe");
	ret->pid = fork();
	if (ret->pid == 0) {
		close(ends[1]);
		be_guard(task, ends[0], own);
	}
	close(ends[0]);
	ret->pipe = ends[1];
	if (ret->pid > 0)
		return 0;
	guard_end(ret);
	return err_sys(e, ERR_KERNEL, errno, "cannot start a process");
}

void guard_end(struct guard *g)
{
	if (g->pipe < 0)
		return;
	(void)!write(g->pipe, "", 1);
	close(g->pipe);
	g->pipe = -1;
	while (g->pid > 0 && waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

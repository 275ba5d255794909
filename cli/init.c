/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inner side: process 1 of a container. It dresses the namespaces, starts the command, reaps
 * what is orphaned, and passes signals on: the kernel gives a process 1 none that it has not asked
 * for, so a plain `sleep` as process 1 could not be ended by ^C.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli.h"
#include "sandbox.h"

static int mount_error(const char *what, struct err *e)
{
	return err_sys(e, ERR_KERNEL, errno, "cannot mount the container's own %s", what);
}

/* A sysfs shows the network of who mounts it. What lies below, control groups, is kept. */
static int mount_sys(struct err *e)
{
	cleanup_close int cgroups = open_tree(AT_FDCWD, "/sys/fs/cgroup",
					      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return mount_error("/sys", e);
	if (cgroups >= 0)
		move_mount(cgroups, "", AT_FDCWD, "/sys/fs/cgroup", MOVE_MOUNT_F_EMPTY_PATH);
	return 0;
}

/* A file that the host does not have cannot be covered; then the container has none either. */
static int mount_files(const struct sandbox_spec *spec, struct err *e)
{
	static const char *const names[] = { "hosts", "resolv.conf", "hostname" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char own[PATH_MAX], target[32];

		snprintf(own, sizeof(own), "%s/%s", spec->files, names[i]);
		snprintf(target, sizeof(target), "/etc/%s", names[i]);
		if (access(own, F_OK) < 0 || access(target, F_OK) < 0)
			continue;
		if (mount(own, target, NULL, MS_BIND, NULL) < 0)
			return mount_error(target, e);
	}
	return 0;
}

static int dress(const struct sandbox_spec *spec, struct err *e)
{
	int r = 0;

	if (spec->net.fd >= 0 && setns(spec->net.fd, CLONE_NEWNET) < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot enter the task's network namespace");
	if (sethostname(spec->hostname, strlen(spec->hostname)) < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot set the host name");
	/* What the host mounts later is seen; what is mounted here is not seen by the host. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return mount_error("root", e);
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return mount_error("/proc", e);
	if (spec->net.fd >= 0)
		r = mount_sys(e);
	return r < 0 ? r : mount_files(spec, e);
}

/* Where the supervisor hears of stops, once nothing else is open. */
#define STOPS (STDERR_FILENO + 1)

static void tell_stop(int status)
{
	char sig = (char)WSTOPSIG(status);

	(void)!write(STOPS, &sig, 1);
}

/* Return: the exit code of @main once it has ended, -1 before. */
static int reap(pid_t main)
{
	int status, code = -1;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0)
		if (pid == main && WIFSTOPPED(status))
			tell_stop(status);
		else if (pid == main)
			code = WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status)
						   : WEXITSTATUS(status);
	return code;
}

static int serve(pid_t main)
{
	siginfo_t info;
	sigset_t all;
	int code = -1;

	sigfillset(&all);
	while (code < 0) {
		int sig = sigwaitinfo(&all, &info);

		if (sig == SIGCHLD)
			code = reap(main);
		else if (sig > 0 && info.si_code != SI_KERNEL)
			kill(main, sig);
	}
	return code;
}

/* What the terminal has sent to process 1 is the command's, too: blocked, it counts once. */
static void begin(const struct sandbox_spec *spec, int pipe, int report)
{
	static const int signals[] = { SIGINT, SIGQUIT };
	sigset_t early;

	if (read(pipe, &early, sizeof(early)) != sizeof(early))
		_exit(EXIT_FAILED);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (sigismember(&early, signals[i]) == 1)
			raise(signals[i]);
	command_become(spec->argv, spec->mask, report);
}

/* The command, which begins when it owns the terminal, if there is one to own. */
static pid_t start(const struct sandbox_spec *spec, int report)
{
	int go[2];
	sigset_t early;
	pid_t pid = pipe2(go, O_CLOEXEC) < 0 ? -1 : fork();

	if (pid == 0)
		begin(spec, go[0], report);
	if (pid < 0)
		return pid;
	if (spec->terminal && setpgid(pid, pid) == 0)
		tcsetpgrp(STDIN_FILENO, pid);
	sigpending(&early);
	(void)!write(go[1], &early, sizeof(early));
	return pid;
}

void init_main(const struct sandbox_spec *spec, const struct init_pipes *pipes)
{
	struct err e = { 0 };
	sigset_t all;
	pid_t pid;
	char go;
	int r;

	prctl(PR_SET_NAME, "taskvpc-init");
	/* Nobody says go if our supervisor has died; but it may have died since it did. */
	if (read(pipes->go, &go, 1) != 1)
		_exit(EXIT_FAILED);
	end_with_supervisor(pipes->report);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGCHLD, SIG_DFL);
	r = dress(spec, &e);
	pid = r < 0 ? -1 : start(spec, pipes->report);
	if (pid < 0) {
		if (!e.code)
			err_sys(&e, ERR_KERNEL, errno, "cannot start a process");
		report_write(pipes->report, &e);
		_exit(EXIT_FAILED);
	}
	/* Nothing of the supervisor's stays open here: its locks must end with it. */
	dup2(pipes->stops, STOPS);
	close_range(STOPS + 1, ~0u, 0);
	_exit(serve(pid));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command of a container: judged beforehand, started cleanly, waited for with its signals. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "cli.h"
#include "sandbox.h"

/* ---- is there one? ---- */

static int judge_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return EXIT_NO_COMMAND;
	return S_ISREG(st.st_mode) && !access(path, X_OK) ? 0 : EXIT_NOT_RUNNABLE;
}

static int judge_path(const char *name)
{
	const char *path = getenv("PATH"), *next;
	int best = EXIT_NO_COMMAND;

	if (strchr(name, '/'))
		return judge_file(name);
	for (const char *dir = path ? path : "/usr/bin:/bin"; *dir && best; dir = next) {
		int len = (int)strcspn(dir, ":"), r;
		char file[PATH_MAX];

		next = dir + len + (dir[len] == ':');
		snprintf(file, sizeof(file), "%.*s%s%s", len, dir, len ? "/" : "", name);
		r = judge_file(file);
		best = r == EXIT_NO_COMMAND ? best : r;
	}
	return best;
}

/* "sleep 1" as one word, of which the first is a command. */
static bool is_quoted(const char *name)
{
	size_t len = strcspn(name, " \t");
	char first[PATH_MAX];

	if (!name[len] || len >= sizeof(first))
		return false;
	snprintf(first, sizeof(first), "%.*s", (int)len, name);
	return len && judge_path(first) == 0;
}

int command_judge(const char *name, struct err *e)
{
	int r = *name ? judge_path(name) : EXIT_NO_COMMAND;
	char shown[80];

	if (!r)
		return 0;
	text_printable(shown, sizeof(shown), name);
	if (r == EXIT_NOT_RUNNABLE) {
		cli_error(e, EXIT_NOT_RUNNABLE, "%s: not a program that can be run", shown);
		err_hint(e, "chmod +x it, or name its interpreter: sh %s", shown);
	} else if (is_quoted(name)) {
		cli_error(e, EXIT_NO_COMMAND, "\"%s\": there is no such command", shown);
		err_hint(e, "leave out the quotes: -- %s; or for a shell: -- sh -c '%s'", shown,
			 shown);
	} else {
		cli_error(e, EXIT_NO_COMMAND, "%s: there is no such command", shown);
		err_hint(e, "the task has the host's programs: install it there, or name its path");
	}
	return -ENOENT;
}

/* ---- becoming it ---- */

void report_write(int fd, const struct err *e)
{
	/* Smaller than PIPE_BUF, so it is written whole or, without a reader, not at all. */
	(void)!write(fd, e, sizeof(*e));
}

int report_read(int fd, struct err *e)
{
	struct err said;
	ssize_t n;

	do
		n = read(fd, &said, sizeof(said));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(said))
		return err_set(e, ERR_KERNEL, EIO, "the container's first process is gone");
	*e = said;
	return -EINVAL;
}

void end_with_supervisor(int report)
{
	struct pollfd p = { .fd = report }; /* POLLERR: who read from it has gone */

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (poll(&p, 1, 0) != 0)
		_exit(EXIT_FAILED);
}

void command_become(char *const *argv, const sigset_t *mask, int report)
{
	struct err e;
	int failure;

	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	failure = errno;
	cli_error(&e, failure == ENOENT ? EXIT_NO_COMMAND : EXIT_NOT_RUNNABLE,
		  "%.200s: cannot be run: %s", argv[0], strerror(failure));
	report_write(report, &e);
	_exit(cli_status(&e));
}

/* ---- waiting for it ---- */

/*
 * All that would end us: the task would die with us, and nobody would take its network down. Not
 * those that tell of ourselves: a child's end, the terminal's stops, our own faults.
 */
static void passed_on(sigset_t *ret)
{
	static const int ours[] = { SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU, SIGSEGV,
				    SIGBUS,  SIGFPE,  SIGILL,  SIGTRAP, SIGSYS };

	sigfillset(ret);
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		sigdelset(ret, ours[i]);
}

void signals_block(sigset_t *old)
{
	sigset_t set;

	passed_on(&set);
	sigprocmask(SIG_BLOCK, &set, old);
	signal(SIGCHLD, SIG_DFL); /* whoever started us may have ignored it: no status then */
}

static void follow_child(struct terminal *t, pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	if (waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG) == 0 && info.si_pid == pid)
		terminal_stop(t, info.si_status);
}

/* Its end also ends the pipe. */
static void follow_pipe(struct terminal *t)
{
	char sig;

	if (read(t->stops, &sig, 1) == 1)
		terminal_stop(t, sig);
	else
		t->stops = -1;
}

/* Of the terminal whose foreground we are again, while the command thinks it is in the background.
 */
static bool is_for_command(const struct signalfd_siginfo *info, const struct terminal *t)
{
	return info->ssi_signo == SIGTSTP ||
	       (info->ssi_code == SI_KERNEL && !t->given &&
		(info->ssi_signo == SIGINT || info->ssi_signo == SIGQUIT ||
		 info->ssi_signo == SIGHUP));
}

static void pass_on(int fd, pid_t pid, struct terminal *t)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD) {
		follow_child(t, pid);
		return;
	}
	if (is_for_command(&info, t)) {
		terminal_relay(t, (int)info.ssi_signo);
		return;
	}
	if (info.ssi_signo == SIGCONT)
		terminal_continue(t);
	/* SIGPIPE of our own writing looks as if we had sent it. */
	if (info.ssi_code != SI_KERNEL && info.ssi_pid != (uint32_t)getpid())
		kill(pid, (int)info.ssi_signo);
}

/* Stops of a child come by SIGCHLD, those of a container's command by the pipe of process 1. */
static int open_signals(const struct terminal *t)
{
	sigset_t set;

	passed_on(&set);
	if (t->ours)
		sigaddset(&set, SIGTSTP);
	if (t->ours && t->stops < 0)
		sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Until @pid has ended. Without descriptors left, signals wait until it does. */
static void watch(pid_t pid, struct log *log, struct terminal *t)
{
	cleanup_close int ended = pidfd_open(pid, 0), signals = open_signals(t);

	while (ended >= 0) {
		struct pollfd p[] = { { .fd = ended, .events = POLLIN },
				      { .fd = signals, .events = POLLIN },
				      { .fd = log ? log->pipe : -1, .events = POLLIN },
				      { .fd = t->ours ? t->stops : -1, .events = POLLIN } };

		if (poll(p, ARRAY_SIZE(p), -1) < 0)
			continue;
		if (p[1].revents)
			pass_on(signals, pid, t);
		if (p[2].revents)
			log_take(log);
		if (p[3].revents)
			follow_pipe(t);
		if (p[0].revents)
			return;
	}
}

/* A script that runs us is of our process group: ^C would have reached it without a terminal given.
 */
static void end_terminal(struct terminal *t, int code)
{
	bool given = t->given;

	terminal_take(t);
	if (given && (code == EXIT_SIGNAL + SIGINT || code == EXIT_SIGNAL + SIGQUIT))
		kill(0, code - EXIT_SIGNAL);
}

int supervise(pid_t pid, struct log *log, struct terminal *terminal)
{
	int status, code;

	watch(pid, log, terminal);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_FAILED;
	if (log)
		log_take(log);
	code = WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
	end_terminal(terminal, code);
	return code;
}

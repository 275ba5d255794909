/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Handing the terminal over, and following the command when it stops. */
#include "terminal.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#define TERMINAL STDIN_FILENO

void terminal_find(struct terminal *t)
{
	/* With stdout into a pipe the other end of it may need the terminal: `| less`. */
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && tcgetpgrp(TERMINAL) == getpgrp())
		t->ours = getpgrp();
}

/* A process of a background group that sets the group is stopped by SIGTTOU, unless blocked. */
static void set_group(pid_t group)
{
	sigset_t output, old;

	sigemptyset(&output);
	sigaddset(&output, SIGTTOU);
	sigprocmask(SIG_BLOCK, &output, &old);
	tcsetpgrp(TERMINAL, group);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

void terminal_give(struct terminal *t, pid_t pid)
{
	if (!t->ours || setpgid(pid, pid) < 0)
		return;
	t->theirs = pid;
	t->given = true;
	set_group(pid);
}

/* A shell that stopped us from outside has taken the terminal itself; its group is alive. */
static bool is_taken(const struct terminal *t)
{
	pid_t now = tcgetpgrp(TERMINAL);

	return now > 0 && now != t->theirs && (kill(-now, 0) == 0 || errno != ESRCH);
}

void terminal_take(struct terminal *t)
{
	if (t->given && !is_taken(t))
		set_group(t->ours);
	t->given = false;
}

/* Return: whether we did: without a shell that could continue us, the kernel does not stop us. */
static bool stop_ourselves(int sig)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, sig);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &set, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
	sigpending(&set);
	return sigismember(&set, SIGCONT) == 1;
}

static bool is_ours(const struct terminal *t)
{
	return t->theirs > 0 && tcgetpgrp(TERMINAL) == t->ours;
}

void terminal_stop(struct terminal *t, int sig)
{
	bool wants_terminal = !t->given && (sig == SIGTTIN || sig == SIGTTOU) && is_ours(t);

	if (t->given) {
		t->theirs = tcgetpgrp(TERMINAL);
		set_group(t->ours);
	}
	t->given = false;
	t->stopped = true;
	if (wants_terminal || (!stop_ourselves(sig == SIGSTOP ? SIGTSTP : sig) && sig != SIGSTOP))
		terminal_continue(t);
}

void terminal_relay(struct terminal *t, int sig)
{
	if (!t->given && is_ours(t))
		terminal_continue(t);
	if (t->theirs > 0)
		kill(-t->theirs, sig);
}

void terminal_continue(struct terminal *t)
{
	if (t->theirs <= 0)
		return;
	if (is_ours(t)) {
		set_group(t->theirs);
		t->given = true;
	}
	/* What the command has started stopped with it, and knows of no signal that it gets. */
	if (t->stopped)
		kill(-t->theirs, SIGCONT);
	t->stopped = false;
}

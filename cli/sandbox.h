/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The namespaces of a container. `run` makes them: mount, pid, UTS and IPC are the container's own,
 * the network is its task's. Process 1 in there is ours (init.c): it reaps, passes signals on, and
 * dies with its supervisor, and all others of the pid namespace with it.
 */
#ifndef CLI_SANDBOX_H
#define CLI_SANDBOX_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "kernel/netns.h"
#include "log.h"
#include "terminal.h"

struct sandbox_spec {     /* all borrowed */
	struct netns net; /* fd -1: the host's */
	const char *hostname;
	const char *files; /* directory with hosts, resolv.conf, hostname */
	char *const *argv;
	const sigset_t *mask; /* of signals, for the command */
	bool terminal;        /* the command is to own it: its group leads */
};

struct sandbox {
	pid_t init;
	int go, report; /* -1: closed */
	int stops;      /* of struct terminal */
};

/* sandbox_start: init waits in its namespaces for sandbox_go, and ends if we do. */
int sandbox_start(const struct sandbox_spec *spec, struct sandbox *ret, struct err *e);
/* sandbox_go: run the command. Return: 0 once it runs; else its error (EXIT_NOT_RUNNABLE, …). */
int sandbox_go(struct sandbox *s, struct err *e);
/* sandbox_end: kill whatever runs in there, and wait for it. After sandbox_go has succeeded, too.
 */
void sandbox_end(struct sandbox *s);

/* init_main: of init.c; never returns. */
struct init_pipes {
	int go, report, stops;
};
void init_main(const struct sandbox_spec *spec, const struct init_pipes *pipes)
	__attribute__((noreturn));

/*
 * fork_into: fork(), the child in new namespaces (CLONE_NEW*). unshare() would move our own later
 * children as well.
 */
pid_t fork_into(uint64_t namespaces);

/* ---- what `run` and `exec` share ---- */

/* command_judge: can @name be run? Return: 0, EXIT_NO_COMMAND or EXIT_NOT_RUNNABLE. */
int command_judge(const char *name, struct err *e);
/*
 * end_with_supervisor: from now on we are killed when our parent ends, who reads @report; if it has
 * ended already, so do we. No other process may have the end that it reads from.
 */
void end_with_supervisor(int report);
/*
 * command_become: be the command, as a fresh process should be; on failure the error goes into
 * @report (read by report_read) and the process ends.
 */
void command_become(char *const *argv, const sigset_t *mask, int report) __attribute__((noreturn));
/* report_write, report_read: an error by pipe. report_read: Return: 0 if the other end was closed.
 */
void report_write(int fd, const struct err *e);
int report_read(int fd, struct err *e);

/* signals_block: those that are passed on are from now on only read. @old: the mask as it was. */
void signals_block(sigset_t *old);
/*
 * supervise: wait for child @pid, passing signals on. What the terminal sends (^C) reaches the
 * child by itself, being of our process group or of the terminal's, and is not sent twice.
 * @log: what is kept of what it says; NULL: nothing.
 * @terminal: is ours again afterwards.
 * Return: its exit code, or 128 + signal.
 */
int supervise(pid_t pid, struct log *log, struct terminal *terminal);

#endif

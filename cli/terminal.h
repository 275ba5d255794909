/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal of a command in the foreground. The process group of the supervisor has no number in
 * the pid namespace of the container, so a shell in there could neither read nor restore the
 * terminal's group: the command leads a group of its own, which owns the terminal while it runs.
 * What a job-control shell does with the command (stop, continue) is done with the supervisor too.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

struct terminal {
	pid_t ours;   /* our process group; 0: there is no terminal to give */
	pid_t theirs; /* the group that has the terminal, or had it before the command stopped */
	bool given, stopped;
	int stops; /* a byte for each stop of the command, its signal; -1: the command is our child
		    */
};
#define TERMINAL_NONE                                                                              \
	{                                                                                          \
		.stops = -1                                                                        \
	}

/* terminal_find: is stdin and stdout our controlling terminal, and are we in its foreground? */
void terminal_find(struct terminal *t);
/* terminal_give: child @pid leads a process group of its own, which owns the terminal. */
void terminal_give(struct terminal *t, pid_t pid);
/* terminal_take: the command has ended; the terminal is our group's again. */
void terminal_take(struct terminal *t);
/* terminal_stop: the command was stopped by @sig: take the terminal, and stop as well. */
void terminal_stop(struct terminal *t, int sig);
/*
 * terminal_relay: a signal of the terminal came to us and not to the command. A shell does so that
 * moves a running job to the foreground: it gives the terminal to our group, without a signal.
 */
void terminal_relay(struct terminal *t, int sig);
/* terminal_continue: we were continued: in the foreground the command gets the terminal again. */
void terminal_continue(struct terminal *t);

#endif

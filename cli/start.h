/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of `taskvpc run`, each after the one before. */
#ifndef CLI_START_H
#define CLI_START_H

#include <signal.h>
#include <unistd.h>

#include "guard.h"
#include "log.h"
#include "network.h"
#include "sandbox.h"
#include "state.h"
#include "wish.h"

struct start {
	const struct cli *cli;

	/* what was asked for: borrowed from the command line */
	const char *network, *mode, *name, *task, *log;
	struct wish wish;
	struct words dns, dns_search;
	bool detach, removed;
	char **argv, **words; /* the command; all of what was typed, from "run" on */

	/* what came of it */
	struct network *net; /* NULL: a task is joined */
	json *runtime;
	char *args; /* CNI_ARGS, or NULL */
	struct task held;
	struct container container;
	json *about;       /* of the container */
	struct log output; /* in the background */
	int warnings;      /* stderr of who started the task */
	struct sandbox sandbox;
	struct guard guard;
	struct terminal terminal;
	sigset_t mask; /* of signals, as it was */
};
#define START_NONE                                                                                 \
	{                                                                                          \
		.held = TASK_NONE, .container = { .lock = -1 },                                    \
		.sandbox = { .init = -1, .go = -1, .report = -1, .stops = -1 },                    \
		.output = LOG_NONE, .warnings = STDERR_FILENO, .guard = GUARD_NONE,                \
		.terminal = TERMINAL_NONE,                                                         \
	}

/* start_prepare: find the network, judge the wishes. Changes nothing, but heals what is dead. */
int start_prepare(struct start *s, struct err *e);
/* start_claim: the name, and the lock that says that the task lives. */
int start_claim(struct start *s, struct err *e);
/* start_task: namespaces, ADD, and the command runs. Whatever fails, nothing is left. */
int start_task(struct start *s, struct err *e);
/* start_finish: wait for the command; take the task down. Return: its exit code, or -errno. */
int start_finish(struct start *s, struct err *e);
/* start_abandon: give up what was claimed. Return: @r. */
int start_abandon(struct start *s, int r);
void start_free(struct start *s);

#endif

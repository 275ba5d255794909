/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process that takes a task down if its supervisor is killed. */
#ifndef CLI_GUARD_H
#define CLI_GUARD_H

#include "state.h"

struct guard {
	pid_t pid;
	int pipe; /* -1: there is none */
};
#define GUARD_NONE                                                                                 \
	{                                                                                          \
		.pid = -1, .pipe = -1                                                              \
	}

/* guard_start: from now on @task is taken down when this process ends, unless by guard_end. */
int guard_start(const char *task, struct guard *ret, struct err *e);
/* guard_end: there is nothing left to guard. May be called twice. */
void guard_end(struct guard *g);

#endif

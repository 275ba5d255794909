/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a container in the background says: the end of it, in /run/taskvpc/log/TASK.CONTAINER. It
 * stays when the container has ended, as that is when one wants to read it. All of it lies in
 * memory, so it is bounded: of each container about twice LOG_SIZE, and LOGS_KEPT of those that
 * have ended.
 */
#ifndef CLI_LOG_H
#define CLI_LOG_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "json/json.h"

#define LOG_DIR   "/run/taskvpc/log"
#define LOG_SIZE  65536 /* bytes: a file that reaches it becomes FILE~, and a new one begins */
#define LOGS_KEPT 32

struct log {
	int pipe; /* where it comes from; -1: nothing is kept */
	int file; /* -1: it cannot be written any more */
	off_t size;
	char path[PATH_MAX];
};
#define LOG_NONE                                                                                   \
	{                                                                                          \
		.pipe = -1, .file = -1                                                             \
	}

/* log_path: of a container of @task. Return: false if these are no names of such. */
bool log_path(char ret[static PATH_MAX], const char *task, const char *container);

/*
 * log_open: from now on our stdout and stderr, and what our children inherit of them, lead to
 * log_take. The container's lock is ours by now. Return: 0 or a negative errno.
 */
int log_open(struct log *l, const char *task, const char *container, struct err *e);
/* log_take: keep what was said since. It does not block, and does not fail: what cannot be written
 * is lost, and the container goes on. */
void log_take(struct log *l);

/* log_forget: what an earlier container of that name has said. */
void log_forget(const char *task, const char *container);

/*
 * log_print: the last @lines to stdout, all if that is negative. Return: 0, -ENOENT (*e untouched),
 * or a negative errno.
 * log_follow: and what comes, until nobody holds @lock: the container has ended.
 */
int log_print(const char *path, long lines, struct err *e);
int log_follow(const char *path, const char *lock, long lines, struct err *e);
/* logs_json: an array of the TASK/CONTAINER that have one, a new root. */
json *logs_json(void);

#endif

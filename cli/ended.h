/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Containers that have ended, as files: /run/taskvpc/ended/TASK.CONTAINER tells with which exit
 * code, and what `restart` needs. Only the last ENDED_KEPT are kept, until a container of that name
 * begins or `rm` ends the task.
 *
 *   task, container, created, ended, exitCode, command
 *   network, mode, address, ip, mac     as they were
 *   run, cwd                            of one that was started with -d: the words of `run`
 */
#ifndef CLI_ENDED_H
#define CLI_ENDED_H

#include "state.h"

#define ENDED_DIR  "/run/taskvpc/ended"
#define ENDED_KEPT 32

/* ended_note: @c of @t has ended with @code. What cannot be written is not known afterwards. */
void ended_note(const struct task *t, const struct container *c, int code);
/* ended_forget: @container NULL: all of the task. */
void ended_forget(const char *task, const char *container);
/* ended_find: what is known of one that has ended, a new root; NULL: nothing. */
json *ended_find(const char *task, const char *container);
/* ended_json: an array of all, by name, a new root. */
json *ended_json(void);
/* ended_hint: where @word (TASK or TASK/CONTAINER) has ended, @e says so. */
void ended_hint(const char *word, struct err *e);

/* ended_describe: what of @t is kept to start it again with its address: into @doc. */
void ended_describe(const struct task *t, json *doc);

#endif

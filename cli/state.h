/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks that taskvpc runs, as files: /run/taskvpc/run/TASK holds what is needed to take the task
 * down, whoever has to do it. It is written before anything is made.
 *
 *   task.json          the network as it was, the wishes, the result
 *   lock               locked, shared, by each process that supervises a container of the task
 *   CONTAINER.pid      one for each container: its processes; locked by its supervisor
 *   hosts, resolv.conf, hostname
 *
 * The locks are those of open files (F_OFD_SETLK): they end with their process, and one can ask for
 * them without taking them. So a task is alive exactly if `lock` is held, and a task that is not
 * is taken down by the next who looks.
 */
#ifndef CLI_STATE_H
#define CLI_STATE_H

#include <limits.h>
#include <sys/types.h>

#include "chain.h"
#include "cli.h"

#define STATE_DIR     "/run/taskvpc/run"
#define TASK_NAME_MAX 63      /* a host name, too */
#define TASK_ADDED    "added" /* in task.json, of a task whose ADD failed: chain_add's @ret_added */

struct task {
	char name[TASK_NAME_MAX + 1];
	char dir[PATH_MAX];
	json *doc; /* task.json */
	int lock;  /* -1: not held by us */
};
#define TASK_NONE                                                                                  \
	{                                                                                          \
		.lock = -1                                                                         \
	}

/* task_name_judge: as docker has names, and no word of explain's. Return: 0 or EXIT_USAGE, saying
 * what is allowed. */
int task_name_judge(const char *option, const char *name, struct err *e);

/*
 * task_create: a new task, locked by us. @name NULL: the first of task-1, task-2, … of
 * which there is neither a task nor a network namespace.
 * Return: 0, or a negative errno; EXIT_TAKEN if there is one of that name.
 */
int task_create(const char *name, struct task *ret, struct err *e);
/* task_join: hold on to a living task. Return: as task_open; EXIT_ABSENT if it has ended. */
int task_join(const char *name, struct task *ret, struct err *e);
/* task_open: only read. Return: 0, or EXIT_ABSENT, naming those that there are. */
int task_open(const char *name, struct task *ret, struct err *e);
/* task_save: write doc, replacing the old by rename. */
int task_save(const struct task *t, struct err *e);
/* task_close: let go; a task that was ours alone is dead from now on. */
void task_close(struct task *t);
#define cleanup_task CLEANUP(task_close)

/* task_is_alive: is it supervised? */
bool task_is_alive(const char *name);
/* tasks_each: the names of all tasks. Return: what @fn returns, if not 0. */
int tasks_each(int (*fn)(void *ctx, const char *name, struct err *e), void *ctx, struct err *e);

/* task_chain: the calls of its network's plugins. Borrows @t. */
struct chain task_chain(const struct task *t);

/*
 * task_leave: let go of the task; whoever is the last takes it down: DEL, namespace, files.
 * Return: 0 or a negative errno: then the files stay, and the next to look tries again.
 */
int task_leave(struct task *t, struct err *e);
/*
 * task_heal: take @name down if nobody supervises it.
 * @path: where plugins may be that are not any more where they were; NULL: nowhere else.
 * Return: 1 if it was taken down, 0 if it lives, or a negative errno.
 */
int task_heal(const char *name, const char *path, struct err *e);
/* task_force: as task_heal, even if DEL fails: then what it did not remove is lost track of. */
int task_force(const char *name, const char *path, struct err *e);
/* tasks_heal: all that are dead. @healed: how many. A failure holds up none of the others. */
int tasks_heal(const char *path, unsigned *healed, struct err *e);

/*
 * For end.c. task_lock_alone: of a task that is not alive. Return: 0, 1 if it lives or is gone, 2
 * if there was nothing but its directory, which went, or -errno.
 * task_lock_last: of our own. Return: 0 if we were the last who held it, else 1, or -errno.
 * task_forget: the last files of a task that we hold alone, and its directory.
 */
int task_lock_alone(struct task *t, const char *name, struct err *e);
int task_lock_last(struct task *t, struct err *e);
int task_forget(const struct task *t, struct err *e);

/* ---- containers ---- */

#define CONTAINER_FIRST  "main" /* the one that a task begins with */
#define CONTAINER_SUFFIX ".pid"
#define CONTAINER_WORD   (2 * TASK_NAME_MAX + 4)

/*
 * container_split: "TASK" or "TASK/CONTAINER". @ret_task: the task's name, "" if @word is too long
 * for any. Return: the container's name, which lies in @ret_task, or NULL.
 */
const char *container_split(const char *word, char ret_task[static CONTAINER_WORD]);

struct container {
	char name[TASK_NAME_MAX + 1];
	pid_t init, supervisor; /* init: pid 1 of the container, as seen from here */
	json *doc;              /* what is told of it: borrowed */
	int lock;               /* -1: not held by us */
};

/*
 * container_create: @name NULL: "main", or the first free of c2, c3, … Locked by us.
 * container_save: write c->doc, with the pids.
 */
int container_create(const struct task *t, const char *name, struct container *ret, struct err *e);
int container_save(const struct task *t, const struct container *c, struct err *e);
void container_remove(const struct task *t, struct container *c);
/* containers_json: an array of {name, pid, state, command, created, log, …}, a new root. */
json *containers_json(const char *task);
/* container_find: @name NULL: main, else the first that lives. Return: 0, or EXIT_ABSENT. */
int container_find(const char *task, const char *name, struct container *ret, struct err *e);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tasks as files: making, joining, reading them. Taking them down is end.c. */
#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/lock.h"
#include "base/text.h"
#include "ended.h"
#include "files.h"
#include "kernel/netns.h"

#define TASKS_MAX 100000 /* numbers that are tried for a name */

int task_name_judge(const char *option, const char *name, struct err *e)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t len = strlen(name);
	char shown[80];

	if (!strcmp(name, "host") || !strcmp(name, "outside")) {
		cli_error(e, EXIT_USAGE, "%s: \"%s\" cannot be the name of a task", option, name);
		err_hint(e, "`taskvpc explain` means something else by it");
		return -EINVAL;
	}
	if (len && len <= TASK_NAME_MAX && strspn(name, letters) == len && !strchr("_.-", *name))
		return 0;
	text_printable(shown, sizeof(shown), name);
	cli_error(e, EXIT_USAGE, "%s: \"%s\" is no name of a task or container", option, shown);
	err_hint(e,
		 "letters, digits, '_', '.', '-', the first a letter or digit, at most %d bytes: "
		 "it is a host name too",
		 TASK_NAME_MAX);
	return -EINVAL;
}

/* Whoever makes, joins or gives up a task does so alone; for a moment. @make: may it be missing? */
static int registry_lock(bool make, struct err *e)
{
	int fd, r;

	if (make && ((mkdir("/run/taskvpc", 0700) < 0 && errno != EEXIST) ||
		     (mkdir(STATE_DIR, 0700) < 0 && errno != EEXIST)))
		return err_sys(e, ERR_STORE, errno, "cannot make %s", STATE_DIR);
	fd = open(STATE_DIR "/.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(e, ERR_STORE, errno, "cannot open %s/.lock", STATE_DIR);
	r = lock_take(fd, LOCK_EX, LOCK_WAIT_S, STATE_DIR "/.lock", e);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

static void task_set_name(struct task *t, const char *name)
{
	*t = (struct task)TASK_NONE;
	text_copy(t->name, sizeof(t->name), name);
	snprintf(t->dir, sizeof(t->dir), "%s/%s", STATE_DIR, t->name);
}

/* Return: 0 with t->lock held, 1 if another holds it against us, 2 if it is missing, or -errno. */
static int lock_file(struct task *t, short how, int flags)
{
	char path[PATH_MAX];
	int r;

	if (!file_path(path, t->dir, "lock", ""))
		return -ENAMETOOLONG;
	t->lock = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	if (t->lock < 0)
		return errno == ENOENT ? 2 : -errno;
	r = file_lock(t->lock, how);
	if (r == 0)
		return 0;
	close(t->lock);
	t->lock = -1;
	return r == -EAGAIN ? 1 : r;
}

/* ---- making ---- */

/* Return: 0, 1 if the name is taken, or a negative errno. */
static int make(const char *name, struct task *ret, struct err *e)
{
	cleanup_close int registry = registry_lock(true, e);
	int r;

	if (registry < 0)
		return registry;
	task_set_name(ret, name);
	if (mkdir(ret->dir, 0700) < 0)
		return errno == EEXIST ? 1
				       : err_sys(e, ERR_STORE, errno, "cannot make %s", ret->dir);
	r = lock_file(ret, F_RDLCK, O_CREAT);
	if (r == 0)
		return 0;
	rmdir(ret->dir);
	return err_sys(e, ERR_STORE, r < 0 ? -r : EIO, "cannot lock %s/lock", ret->dir);
}

static int refuse_taken(const char *name, struct err *e)
{
	cli_error(e, EXIT_TAKEN, "there is a task \"%s\" already", name);
	err_hint(e, "another --name, `taskvpc rm %s` to end it, or --task %s to join it", name,
		 name);
	return -EEXIST;
}

static int make_named(const char *name, struct task *ret, struct err *e)
{
	int r = make(name, ret, e);

	if (r == 1) {
		r = task_heal(name, NULL, e);
		r = r == 1 ? make(name, ret, e) : r < 0 ? r : 1;
	}
	return r == 1 ? refuse_taken(name, e) : r;
}

/* A network namespace of that name is somebody else's: ours are those of tasks that exist. */
static bool has_namespace(const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	return file_path(path, NETNS_DIR, name, "") && lstat(path, &st) == 0;
}

int task_create(const char *name, struct task *ret, struct err *e)
{
	char numbered[32];
	int r = 1;

	*ret = (struct task)TASK_NONE;
	if (name)
		return make_named(name, ret, e);
	for (int i = 1; r == 1 && i < TASKS_MAX; i++) {
		snprintf(numbered, sizeof(numbered), "task-%d", i);
		if (!has_namespace(numbered))
			r = make(numbered, ret, e);
	}
	return r == 1 ? cli_error(e, EXIT_TAKEN, "no name is left for a task") : r;
}

/* ---- reading ---- */

static int note_name(void *ctx, const char *name, struct err *e)
{
	(void)e;
	text_add(ctx, " %s", name);
	return 0;
}

static int refuse_absent(const char *name, struct err *e)
{
	char list[400], shown[80];
	struct text t;

	text_init(&t, list, sizeof(list));
	tasks_each(note_name, &t, e);
	text_printable(shown, sizeof(shown), name);
	cli_error(e, EXIT_ABSENT, "there is no task \"%s\" that taskvpc runs", shown);
	err_hint(e, t.len ? "there is%s" : "no task runs here: `taskvpc run` starts one%s", list);
	ended_hint(name, e);
	return -ENOENT;
}

static int read_doc(struct task *t, struct err *e)
{
	char path[PATH_MAX];

	return file_path(path, t->dir, "task", ".json") ? file_read_json(path, &t->doc, e)
							: -ENAMETOOLONG;
}

int task_open(const char *name, struct task *ret, struct err *e)
{
	int r;

	*ret = (struct task)TASK_NONE;
	if (strlen(name) > TASK_NAME_MAX || strchr(name, '/') || *name == '.')
		return refuse_absent(name, e);
	task_set_name(ret, name);
	r = read_doc(ret, e);
	return r == -ENOENT ? refuse_absent(name, e) : r;
}

int task_join(const char *name, struct task *ret, struct err *e)
{
	cleanup_close int registry = -1;
	int r = task_open(name, ret, e);

	if (r < 0)
		return r;
	registry = registry_lock(false, e);
	if (registry < 0)
		return registry;
	r = lock_file(ret, F_RDLCK, 0);
	if (r == 0)
		return 0;
	cli_error(e, EXIT_ABSENT, "the task \"%s\" has ended", name);
	err_hint(e, "start it with `taskvpc run --name %s`, then join it", name);
	return -ENOENT;
}

int task_save(const struct task *t, struct err *e)
{
	char path[PATH_MAX];

	return file_path(path, t->dir, "task", ".json") ? file_write_json(path, t->doc, e)
							: -ENAMETOOLONG;
}

void task_close(struct task *t)
{
	json_free(t->doc);
	t->doc = NULL;
	if (t->lock >= 0)
		close(t->lock);
	t->lock = -1;
}

int task_lock_alone(struct task *t, const char *name, struct err *e)
{
	cleanup_close int registry = -1;
	struct stat st;
	int r;

	task_set_name(t, name);
	if (stat(t->dir, &st) < 0)
		return 1;
	registry = registry_lock(false, e);
	if (registry < 0)
		return registry;
	r = lock_file(t, F_WRLCK, 0);
	/* Without a lock nothing is attached. Later, this may be the directory of a new task. */
	if (r == 2 && rmdir(t->dir) < 0 && errno != ENOENT) {
		err_sys(e, ERR_STORE, errno, "%s has no lock, but cannot be removed", t->dir);
		err_hint(e, "rm -r %s", t->dir);
		return -e->sys;
	}
	return r < 0 ? err_sys(e, ERR_STORE, -r, "cannot lock %s", t->dir) : r;
}

int task_forget(const struct task *t, struct err *e)
{
	static const char *const last[] = { "task.json", "lock" };
	cleanup_close int registry = registry_lock(false, e);
	char path[PATH_MAX];

	if (registry < 0)
		return registry;
	for (size_t i = 0; i < ARRAY_SIZE(last); i++)
		if (file_path(path, t->dir, last[i], ""))
			unlink(path);
	rmdir(t->dir);
	return 0;
}

int task_lock_last(struct task *t, struct err *e)
{
	cleanup_close int registry = registry_lock(false, e);
	int r;

	if (registry < 0)
		return registry;
	/* In turns, so that of two who leave at once one is the last, and knows it. */
	file_lock(t->lock, F_UNLCK);
	r = file_lock(t->lock, F_WRLCK);
	return r == -EAGAIN ? 1 : r < 0 ? err_sys(e, ERR_STORE, -r, "cannot lock %s", t->dir) : 0;
}

bool task_is_alive(const char *name)
{
	char path[PATH_MAX];

	return file_path(path, STATE_DIR, name, "/lock") && file_is_locked(path);
}

static int is_task(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strlen(entry->d_name) <= TASK_NAME_MAX;
}

int tasks_each(int (*fn)(void *ctx, const char *name, struct err *e), void *ctx, struct err *e)
{
	struct dirent **entries;
	int n = scandir(STATE_DIR, &entries, is_task, versionsort), r = 0;

	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = fn(ctx, entries[i]->d_name, e);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return r;
}

struct chain task_chain(const struct task *t)
{
	return (struct chain){
		.list = json_get(t->doc, "network"),
		.runtime = json_get(t->doc, "runtimeConfig"),
		.container_id = t->name,
		.netns = json_string(json_get(t->doc, "netns")),
		.ifname = json_string(json_get(t->doc, "ifname")),
		.args = json_string(json_get(t->doc, "args")),
		.path = json_string(json_get(t->doc, "path")),
	};
}

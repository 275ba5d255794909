/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The containers of a task, as files: who they are, and whether they live. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "files.h"
#include "state.h"

#define CONTAINERS_MAX 1000

const char *container_split(const char *word, char ret_task[static CONTAINER_WORD])
{
	char *slash;

	if (!text_copy(ret_task, CONTAINER_WORD, word))
		ret_task[0] = '\0';
	slash = strchr(ret_task, '/');
	if (slash)
		*slash++ = '\0';
	return slash;
}

/* Return: 0 with c->lock held, 1 if the name is taken, or a negative errno. */
static int make(const struct task *t, const char *name, struct container *c, struct err *e)
{
	char path[PATH_MAX];

	text_copy(c->name, sizeof(c->name), name);
	if (!file_path(path, t->dir, name, CONTAINER_SUFFIX))
		return err_sys(e, ERR_STORE, ENAMETOOLONG, "%s", name);
	c->lock = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	/* One that was killed leaves its file while the task lives on. */
	if (c->lock < 0 && errno == EEXIST && !file_is_locked(path))
		c->lock = open(path, O_RDWR | O_CLOEXEC);
	if (c->lock < 0)
		return errno == EEXIST ? 1 : err_sys(e, ERR_STORE, errno, "cannot make %s", path);
	if (file_lock(c->lock, F_WRLCK) == 0)
		return 0;
	close(c->lock);
	c->lock = -1;
	return 1;
}

int container_create(const struct task *t, const char *name, struct container *ret, struct err *e)
{
	char numbered[24] = CONTAINER_FIRST;
	int r;

	ret->lock = -1;
	r = make(t, name ? name : numbered, ret, e);
	for (int i = 2; r == 1 && !name && i < CONTAINERS_MAX; i++) {
		snprintf(numbered, sizeof(numbered), "c%d", i);
		r = make(t, numbered, ret, e);
	}
	if (r != 1)
		return r;
	cli_error(e, EXIT_TAKEN, "the task %s has a container \"%s\" already", t->name,
		  name ? name : numbered);
	err_hint(e, "choose another --name");
	return -EEXIST;
}

/* Written in place: a rename would leave our lock on the file of before. */
int container_save(const struct task *t, const struct container *c, struct err *e)
{
	cleanup_free char *text = NULL;

	json_remove(c->doc, "pid");
	json_remove(c->doc, "supervisor");
	json_add_integer(c->doc, "pid", c->init);
	json_add_integer(c->doc, "supervisor", c->supervisor);
	text = json_print(c->doc);
	if (text && ftruncate(c->lock, 0) == 0 &&
	    pwrite(c->lock, text, strlen(text), 0) == (ssize_t)strlen(text))
		return 0;
	return err_sys(e, ERR_STORE, errno, "cannot write %s/%s%s", t->dir, c->name,
		       CONTAINER_SUFFIX);
}

void container_remove(const struct task *t, struct container *c)
{
	char path[PATH_MAX];

	if (file_path(path, t->dir, c->name, CONTAINER_SUFFIX))
		unlink(path);
	if (c->lock >= 0)
		close(c->lock);
	c->lock = -1;
}

/* ---- reading ---- */

static int is_container(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name), suffix = strlen(CONTAINER_SUFFIX);

	return len > suffix && !strcmp(entry->d_name + len - suffix, CONTAINER_SUFFIX);
}

/* main first, then as they came: c2 before c10. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	static const char first[] = CONTAINER_FIRST CONTAINER_SUFFIX;
	int x = strcmp((*a)->d_name, first) != 0, y = strcmp((*b)->d_name, first) != 0;

	return x != y ? x - y : versionsort(a, b);
}

static void add_one(json *list, const char *dir, const char *file)
{
	cleanup_json json *doc = NULL;
	char path[PATH_MAX], name[TASK_NAME_MAX + 1];
	struct err ignored;
	json *one;

	snprintf(name, sizeof(name), "%.*s", (int)(strlen(file) - strlen(CONTAINER_SUFFIX)), file);
	/* A file still empty is of one that is just being made. */
	if (!file_path(path, dir, file, "") || file_read_json(path, &doc, &ignored) < 0)
		return;
	one = json_add_object(list, NULL);
	json_add_string(one, "name", name);
	json_add_string(one, "state", file_is_locked(path) ? "up" : "dead");
	for (const json *i = json_first(doc); i; i = json_next(i))
		json_add_copy(one, json_key(i), i);
}

json *containers_json(const char *task)
{
	struct dirent **entries;
	json *list = json_array();
	char dir[PATH_MAX];
	int n;

	if (!file_path(dir, STATE_DIR, task, ""))
		return list;
	n = scandir(dir, &entries, is_container, by_name);
	for (int i = 0; i < n; i++) {
		add_one(list, dir, entries[i]->d_name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return list;
}

static bool take(const json *one, const char *name, struct container *ret)
{
	int64_t init, supervisor;

	if ((name && strcmp(json_string(json_get(one, "name")), name) != 0) ||
	    strcmp(json_string(json_get(one, "state")), "up") != 0 ||
	    !json_integer(json_get(one, "pid"), &init) ||
	    !json_integer(json_get(one, "supervisor"), &supervisor))
		return false;
	text_copy(ret->name, sizeof(ret->name), json_string(json_get(one, "name")));
	ret->init = (pid_t)init;
	ret->supervisor = (pid_t)supervisor;
	return true;
}

int container_find(const char *task, const char *name, struct container *ret, struct err *e)
{
	cleanup_json json *all = containers_json(task);
	char list[400];
	struct text t;

	text_init(&t, list, sizeof(list));
	for (const json *one = json_first(all); one; one = json_next(one)) {
		if (take(one, name, ret))
			return 0;
		if (!strcmp(json_string(json_get(one, "state")), "up"))
			text_add(&t, " %s", json_string(json_get(one, "name")));
	}
	if (name)
		cli_error(e, EXIT_ABSENT, "the task %s has no container \"%s\" that runs", task,
			  name);
	else
		cli_error(e, EXIT_ABSENT, "no container of the task %s runs any more", task);
	err_hint(e, t.len ? "there is%s" : "`taskvpc gc` takes down what it left%s", list);
	return -ENOENT;
}

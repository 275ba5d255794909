/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking a task down: DEL by the plugins that attached it, then its namespace, then its files, of
 * which task.json and the lock are the last. So whoever is killed on the way leaves to the next
 * what is needed to go on. All of it may be done twice.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "files.h"
#include "hosts.h"
#include "kernel/netns.h"
#include "state.h"

static int detach(const struct task *t, const char *elsewhere, struct err *e)
{
	struct chain chain = task_chain(t);
	char path[2 * CHAIN_PATH];
	int64_t added;

	snprintf(path, sizeof(path), "%s%s%s", chain.path ? chain.path : "", elsewhere ? ":" : "",
		 elsewhere ? elsewhere : "");
	chain.path = path;
	if (!json_integer(json_get(t->doc, TASK_ADDED), &added))
		added = CHAIN_UNKNOWN;
	return chain_del(&chain, json_get(t->doc, "result"), (unsigned)added, e);
}

static int unbind(const struct task *t, struct err *e)
{
	const char *cookie = json_string(json_get(t->doc, "netnsCookie"));
	const char *netns = json_string(json_get(t->doc, "netns"));

	return cookie ? netns_unbind(netns, strtoull(cookie, NULL, 10), e) : 0;
}

static int remove_files(const struct task *t, struct err *e)
{
	DIR *dir = opendir(t->dir);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, "task.json") != 0 && strcmp(entry->d_name, "lock") != 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	return task_forget(t, e);
}

/* Return: 0, 1 if there is none: nothing is attached; else -errno: then we cannot know. */
static int read_anew(struct task *t, struct err *e)
{
	char path[PATH_MAX];
	int r;

	json_free(t->doc);
	t->doc = NULL;
	if (!file_path(path, t->dir, "task", ".json"))
		return err_sys(e, ERR_STORE, ENAMETOOLONG, "%s", t->dir);
	r = file_read_json(path, &t->doc, e);
	if (r == -ENOENT)
		return 1;
	if (r < 0)
		err_hint(e, "mend it; or: ip netns del %s; rm -r %s; taskvpc gc", t->name, t->dir);
	return r;
}

static const char *network_of(const struct task *t)
{
	return json_string(json_get(json_get(t->doc, "network"), "name"));
}

struct ending {
	const char *path; /* see task_heal */
	bool force;       /* DEL may fail */
};

static int take_down(struct task *t, const struct ending *how, struct err *e)
{
	/* What joined meanwhile may have seen another result than we remember. */
	int r = read_anew(t, e);

	if (r == 0)
		r = detach(t, how->path, e);
	if (r < 0 && t->doc && how->force) {
		fprintf(stderr,
			"taskvpc: warning: task %s: DEL failed, its resources may stay: %s\n",
			t->name, e->msg);
		r = 0;
	}
	if (r == 0)
		r = unbind(t, e);
	if (r >= 0)
		r = remove_files(t, e);
	if (r >= 0 && network_of(t))
		hosts_update(network_of(t));
	if (r < 0) {
		err_prefix(e, "task %s stays, it cannot be taken down", t->name);
		if (!e->details[0])
			err_hint(e, "taskvpc rm --force %s removes it although DEL fails", t->name);
	}
	task_close(t);
	return r;
}

int task_leave(struct task *t, struct err *e)
{
	int r = task_lock_last(t, e);

	if (r == 0)
		return take_down(t, &(struct ending){ .path = NULL }, e);
	task_close(t);
	return r < 0 ? r : 0;
}

static int end_dead(const char *name, const struct ending *how, struct err *e)
{
	struct task t = TASK_NONE;
	int r = task_lock_alone(&t, name, e);

	if (r)
		return r == 2 ? 1 : r < 0 ? r : 0;
	r = take_down(&t, how, e);
	return r < 0 ? r : 1;
}

int task_heal(const char *name, const char *path, struct err *e)
{
	return end_dead(name, &(struct ending){ .path = path }, e);
}

int task_force(const char *name, const char *path, struct err *e)
{
	return end_dead(name, &(struct ending){ .path = path, .force = true }, e);
}

struct healing {
	const char *path;
	unsigned healed;
	int failed;
};

static int heal_one(void *ctx, const char *name, struct err *e)
{
	struct healing *h = ctx;
	struct err why;
	int r = task_heal(name, h->path, &why);

	if (r < 0 && !h->failed) {
		h->failed = r;
		*e = why;
	}
	h->healed += r == 1;
	return 0;
}

int tasks_heal(const char *path, unsigned *healed, struct err *e)
{
	struct healing h = { .path = path };

	tasks_each(heal_one, &h, e);
	*healed = h.healed;
	return h.failed;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A namespace that lives on when the path that led to it leads there no more. */
#include "kernel/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "kernel/netns_id.h"

struct file {
	dev_t dev;
	ino_t ino;
};

struct search {
	uint64_t cookie;
	struct netns *ret;
	struct netlink *nl; /* not NULL: look for another namespace that has the id */
	uint32_t id;
	struct file *seen; /* namespaces that were visited: most processes are in the same few */
	size_t n;
};

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static bool was_seen(const struct search *s, const struct stat *st)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->seen[i].ino == st->st_ino && s->seen[i].dev == st->st_dev)
			return true;
	return false;
}

static int note(struct search *s, const struct stat *st, struct err *e)
{
	struct file *more;

	if ((s->n & (s->n - 1)) == 0) { /* room for a power of two */
		more = realloc(s->seen, (s->n ? 2 * s->n : 1) * sizeof(*more));
		if (!more)
			return err_sys(e, ERR_KERNEL, ENOMEM, "looking for a namespace");
		s->seen = more;
	}
	s->seen[s->n++] = (struct file){ st->st_dev, st->st_ino };
	return 0;
}

/* Return: 1 if the namespace is another and has the id, 0, or a negative errno. */
static int has_id(const struct search *s, int fd, struct err *e)
{
	uint32_t id;
	int r = netns_id_of(s->nl, fd, &id, e);

	return r < 0 ? (r == -EINVAL ? 0 : r) : r == 0 && id == s->id;
}

/* Held open, it cannot become another while it is looked at. Return: as try(). */
static int visit(struct search *s, int fd, struct err *e)
{
	char path[32];
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0 || was_seen(s, &st))
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = netns_reopen(path, s->cookie, s->ret, e);
	if (r == 0 && s->nl)
		netns_close(s->ret);
	if (r == 0)
		return !s->nl;
	if (r == 1)
		r = note(s, &st, e);
	return r == 0 && s->nl ? has_id(s, fd, e) : r;
}

/* Return: 1 if @path leads to it, 0, or a negative errno. */
static int try(struct search *s, const char *path, struct err *e)
{
	cleanup_close int fd = -1;
	struct stat st;

	if (stat(path, &st) == 0 && was_seen(s, &st))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0)
		return visit(s, fd, e);
	if (errno != EMFILE && errno != ENFILE && errno != ENOMEM)
		return 0; /* no process, or one that has ended meanwhile */
	return err_sys(e, ERR_KERNEL, errno, "cannot look at %s", path);
}

/* NULL at the end with errno 0, and where it cannot be read. */
static const struct dirent *next(DIR *d)
{
	errno = 0;
	return readdir(d);
}

/* What is in @dir, each with @rest behind its name. Return: as try(). */
static int search(struct search *s, const char *dir, const char *rest, struct err *e)
{
	__attribute__((cleanup(close_dir))) DIR *d = opendir(dir);
	const struct dirent *entry;
	char path[512];
	int r = 0;

	if (!d)
		return err_sys(e, ERR_KERNEL, errno, "cannot read %s", dir);
	while (r == 0 && (entry = next(d))) {
		snprintf(path, sizeof(path), "%s/%s%s", dir, entry->d_name, rest);
		if (entry->d_name[0] != '.')
			r = try(s, path, e);
	}
	return !r && !entry && errno ? err_sys(e, ERR_KERNEL, errno, "cannot read %s", dir) : r;
}

/* Return: as try(). */
static int search_all(struct search *s, struct err *e)
{
	int r;

	s->ret->fd = -1;
	r = search(s, NETNS_DIR, "", e);
	if (r == 0 || r == -ENOENT) /* nobody has ever named one */
		r = search(s, "/proc", "/ns/net", e);
	free(s->seen);
	return r;
}

int netns_find(uint64_t cookie, struct netns *ret, struct err *e)
{
	struct search s = { .cookie = cookie, .ret = ret };
	int r = search_all(&s, e);

	return r < 0 ? r : !r;
}

int netns_id_is_anothers(struct netlink *nl, uint32_t id, uint64_t cookie, struct err *e)
{
	struct netns ns;
	struct search s = { .cookie = cookie, .ret = &ns, .nl = nl, .id = id };

	return search_all(&s, e);
}
